import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { formatCount, formatTime } from '../frame/format.ts'
import type { Field, Frame } from '../frame/frame.ts'

interface LogRow {
  key: string
  time: number | null
  level: string
  text: string
  rest: [name: string, value: unknown][]
}

/** Lines of logs, latest first, each of which opens to all that it has. */
export default function Logs({ frames }: { frames: Frame[] }) {
  const [text, setText] = useState('')
  const [oldest, setOldest] = useState(false)
  const all = useMemo(() => frames.flatMap(rowsOf).sort((a, b) => (oldest ? 1 : -1) * ((a.time ?? 0) - (b.time ?? 0))), [frames, oldest])
  const rows = useMemo(() => (text.trim() ? all.filter((row) => has(row, text.trim().toLowerCase())) : all), [all, text])
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const box = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => 26, overscan: 20, getItemKey: (i) => rows[i].key })
  const toggle = (row: string) => setOpen((was) => (was.has(row) ? new Set([...was].filter((r) => r !== row)) : new Set([...was, row])))
  return (
    <>
      <div className="result-tools">
        <p className="quiet">{formatCount(rows.length)}{rows.length < all.length && ` of ${formatCount(all.length)}`} {all.length === 1 ? 'line' : 'lines'}</p>
        <input type="search" aria-label="Find in the logs" placeholder="Find in the logs" value={text} onChange={(event) => setText(event.target.value)} />
        <button type="button" className="button quiet-button" aria-pressed={oldest} onClick={() => setOldest(!oldest)}>Oldest first</button>
      </div>
      <div ref={box} className="logs" tabIndex={0} role="log" aria-label="Logs">
      <div style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]
          const set = open.has(row.key)
          return (
            <div key={row.key} ref={virtual.measureElement} data-index={index} className={`log ${levelOf(row.level)} ${set ? 'open' : ''}`} style={{ transform: `translateY(${start}px)` }}>
              <button type="button" aria-expanded={set} onClick={() => toggle(row.key)}>
                <time>{row.time === null ? '' : formatTime(row.time)}</time><span className="level">{row.level}</span><span className="text">{row.text}</span>
              </button>
              {set && <dl>{row.rest.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd></div>)}</dl>}
            </div>
          )
        })}
      </div>
      </div>
    </>
  )
}

/** The columns of a log frame, by their names or, in older ones, by their types. */
function rowsOf(frame: Frame, at: number): LogRow[] {
  const named = (...names: string[]) => frame.fields.find((f) => names.includes(f.name.toLowerCase()))
  const time = named('timestamp', 'time') ?? frame.fields.find((f) => f.type === 'time')
  const text = named('body', 'line', 'message', 'content') ?? frame.fields.find((f) => f.type === 'string')
  const level = named('severity', 'level', 'detected_level')
  const others = frame.fields.filter((f) => f !== time && f !== text && f !== level)
  return Array.from({ length: frame.length }, (_, i) => ({
    key: `${at} ${i}`,
    time: (time?.values[i] as number | null | undefined) ?? null,
    level: String(level?.values[i] ?? ''),
    text: String(text?.values[i] ?? ''),
    rest: others.flatMap((f) => detailsOf(f, i)),
  }))
}

const has = (row: LogRow, text: string) => `${row.level} ${row.text} ${row.rest.map(([name, value]) => `${name}=${String(value)}`).join(' ')}`.toLowerCase().includes(text)

function detailsOf(field: Field, row: number): [string, unknown][] {
  const value = field.values[row]
  if (value === null || value === undefined) return []
  return field.name === 'labels' && typeof value === 'object' ? Object.entries(value) : [[field.name, value]]
}

function levelOf(level: string): string {
  const known = /^(err|crit|fatal|emerg|alert)/i.test(level) ? 'error' : /^warn/i.test(level) ? 'warning' : /^(debug|trace)/i.test(level) ? 'debug' : 'info'
  return level ? known : ''
}
