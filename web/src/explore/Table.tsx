import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { formatCount, formatValue } from '../frame/format.ts'
import { titleOf, type Field, type Frame } from '../frame/frame.ts'
import { Icon } from '../ui/icons.tsx'

interface Order {
  column: number
  down: boolean
}

const rowHeight = 28

/** Frames as tables: one at a time, of which only the rows in sight are drawn. */
export function Table({ frames }: { frames: Frame[] }) {
  const [chosen, setChosen] = useState(0)
  const frame = frames[Math.min(chosen, frames.length - 1)]
  return (
    <div className="table-view">
      {frames.length > 1 && (
        <label className="frame-choice">Frame{' '}
          <select value={frames.indexOf(frame)} onChange={(event) => setChosen(Number(event.target.value))}>
            {frames.map((f, i) => <option key={i} value={i}>{f.refId} · {f.name || frameTitle(f)} · {formatCount(f.length)} rows</option>)}
          </select>
        </label>
      )}
      <Rows key={frame.fields.map((f) => f.name).join('\n')} frame={frame} />
    </div>
  )
}

const frameTitle = (frame: Frame) => frame.fields.filter((f) => f.type !== 'time').map(titleOf).join(', ').slice(0, 60) || 'frame'

function Rows({ frame }: { frame: Frame }) {
  const box = useRef<HTMLDivElement>(null)
  const [order, setOrder] = useState<Order>()
  const rows = useMemo(() => ordered(frame, order), [frame, order])
  const widths = useMemo(() => frame.fields.map(widthOf), [frame])
  const virtual = useVirtualizer({ count: frame.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 12 })
  const columns = widths.map((w) => `minmax(${w}ch, 1fr)`).join(' ')
  const sort = (column: number) => setOrder((was) => (was?.column !== column ? { column, down: false } : was.down ? undefined : { column, down: true }))
  return (
    <div ref={box} className="table" role="table" aria-label={frame.name || frame.refId || 'Table'} aria-rowcount={frame.length + 1} tabIndex={0}>
      <div className="table-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: columns }}>
        {frame.fields.map((field, i) => (
          <div key={i} role="columnheader" className={classOf(field)} aria-sort={order?.column !== i ? 'none' : order.down ? 'descending' : 'ascending'}>
            <button type="button" onClick={() => sort(i)} title={titleOf(field)}>
              <span>{titleOf(field)}</span>{order?.column === i && <Icon name={order.down ? 'down' : 'up'} />}
            </button>
          </div>
        ))}
      </div>
      <div className="table-body" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => (
          <div key={item.key} role="row" aria-rowindex={item.index + 2} style={{ gridTemplateColumns: columns, transform: `translateY(${item.start}px)` }}>
            {frame.fields.map((field, i) => {
              const text = formatValue(field.values[rows[item.index]], field)
              return <div key={i} role="cell" className={classOf(field)} title={text.length > 30 ? text : undefined}>{text}</div>
            })}
          </div>
        ))}
      </div>
    </div>
  )
}

const classOf = (field: Field) => (field.type === 'number' ? 'right' : '')

/** The rows of a frame in an order; what has no value comes last. */
function ordered(frame: Frame, order?: Order): Uint32Array {
  const rows = Uint32Array.from({ length: frame.length }, (_, i) => i)
  if (!order) return rows
  const { values, type } = frame.fields[order.column]
  const sign = order.down ? -1 : 1
  const compare = type === 'number' || type === 'time' || type === 'boolean'
    ? (a: number, b: number) => Number(values[a]) - Number(values[b])
    : (a: number, b: number) => collator.compare(String(values[a]), String(values[b]))
  return rows.sort((a, b) => {
    const none = Number(missing(values[a])) - Number(missing(values[b]))
    return none || sign * compare(a, b)
  })
}

const missing = (value: unknown) => value === null || value === undefined || Number.isNaN(value)

const collator = new Intl.Collator(undefined, { numeric: true })

/** How many characters a column needs, by some of its values. */
function widthOf(field: Field): number {
  const step = Math.max(1, Math.floor(field.values.length / 50))
  let most = titleOf(field).length + 3
  for (let row = 0; row < field.values.length; row += step) most = Math.max(most, formatValue(field.values[row], field).length + 3)
  return Math.min(most, 60)
}
