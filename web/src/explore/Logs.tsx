import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { formatTime } from '../frame/format.ts'
import type { Field, Frame } from '../frame/frame.ts'

interface LogRow {
  time: number | null
  level: string
  text: string
  rest: [name: string, value: unknown][]
}

/** Lines of logs, latest first, each of which opens to all that it has. */
export default function Logs({ frames }: { frames: Frame[] }) {
  const rows = useMemo(() => frames.flatMap(rowsOf).sort((a, b) => (b.time ?? 0) - (a.time ?? 0)), [frames])
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set())
  const box = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => 26, overscan: 20 })
  const toggle = (row: number) => setOpen((was) => (was.has(row) ? new Set([...was].filter((r) => r !== row)) : new Set([...was, row])))
  return (
    <div ref={box} className="logs" tabIndex={0} role="log" aria-label="Logs">
      <div style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]
          return (
            <div key={index} ref={virtual.measureElement} data-index={index} className={`log ${levelOf(row.level)}`} style={{ transform: `translateY(${start}px)` }}>
              <button type="button" aria-expanded={open.has(index)} onClick={() => toggle(index)}>
                <time>{row.time === null ? '' : formatTime(row.time)}</time><span className="level">{row.level}</span><span className="text">{row.text}</span>
              </button>
              {open.has(index) && <dl>{row.rest.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd></div>)}</dl>}
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** The columns of a log frame, by their names or, in older ones, by their types. */
function rowsOf(frame: Frame): LogRow[] {
  const named = (...names: string[]) => frame.fields.find((f) => names.includes(f.name.toLowerCase()))
  const time = named('timestamp', 'time') ?? frame.fields.find((f) => f.type === 'time')
  const text = named('body', 'line', 'message', 'content') ?? frame.fields.find((f) => f.type === 'string')
  const level = named('severity', 'level', 'detected_level')
  const others = frame.fields.filter((f) => f !== time && f !== text && f !== level)
  return Array.from({ length: frame.length }, (_, i) => ({
    time: (time?.values[i] as number | null | undefined) ?? null,
    level: String(level?.values[i] ?? ''),
    text: String(text?.values[i] ?? ''),
    rest: others.flatMap((f) => detailsOf(f, i)),
  }))
}

function detailsOf(field: Field, row: number): [string, unknown][] {
  const value = field.values[row]
  if (value === null || value === undefined) return []
  return field.name === 'labels' && typeof value === 'object' ? Object.entries(value) : [[field.name, value]]
}

function levelOf(level: string): string {
  const known = /^(err|crit|fatal|emerg|alert)/i.test(level) ? 'error' : /^warn/i.test(level) ? 'warning' : /^(debug|trace)/i.test(level) ? 'debug' : 'info'
  return level ? known : ''
}
