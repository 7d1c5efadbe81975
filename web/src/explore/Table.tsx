import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { colorOf } from '../frame/color.ts'
import { colorName, formatCount, formatValue } from '../frame/format.ts'
import { titleOf, type Field, type Frame } from '../frame/frame.ts'
import { longOf } from '../frame/long.ts'
import { linksOf, type Anchor } from '../frame/link.ts'
import { Icon } from '../ui/icons.tsx'
import { copy } from '../ui/toast.tsx'

interface Order {
  column: number
  down: boolean
}

const rowHeight = 28

/** Frames as tables: one at a time, of which only the rows in sight are drawn. */
export function Table({ frames: answered, range = [0, Date.now()] }: { frames: Frame[]; range?: [from: number, to: number] }) {
  const [chosen, setChosen] = useState(0)
  const frames = useMemo(() => [...longOf(answered), ...answered], [answered])
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
      <Rows key={`${frame.refId} ${frame.fields.map((f) => f.name).join('\n')}`} frame={frame} range={range} />
    </div>
  )
}

const frameTitle = (frame: Frame) => frame.fields.filter((f) => f.type !== 'time').map(titleOf).join(', ').slice(0, 60) || 'frame'

function Rows({ frame, range }: { frame: Frame; range: [number, number] }) {
  const box = useRef<HTMLDivElement>(null)
  const [order, setOrder] = useState<Order>()
  const [cell, setCell] = useState<Cell>()
  const [resized, setResized] = useState<Record<number, number>>({})
  const rows = useMemo(() => ordered(frame, order), [frame, order])
  const widths = useMemo(() => frame.fields.map(widthOf), [frame])
  const virtual = useVirtualizer({ count: frame.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 12, scrollPaddingStart: 34 })
  const columns = widths.map((w, i) => (resized[i] ? `${resized[i]}px` : `minmax(${w}ch, 1fr)`)).join(' ')
  const sort = (column: number) => setOrder((was) => (was?.column !== column ? { column, down: false } : was.down ? undefined : { column, down: true }))
  const go = (to: Cell) => {
    const next = { row: Math.min(frame.length - 1, Math.max(0, to.row)), column: Math.min(frame.fields.length - 1, Math.max(0, to.column)) }
    setCell(next)
    virtual.scrollToIndex(next.row)
  }
  const press = (event: React.KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'c' && cell && getSelection()?.isCollapsed !== false) return void copy(textOf(cell), 'Value')
    if (event.key === 'Escape' && cell) return setCell(undefined)
    const step = event.target === box.current ? steps[event.key] : undefined
    if (!step) return
    event.preventDefault()
    go(cell ? { row: cell.row + step[0], column: cell.column + step[1] } : { row: virtual.getVirtualItems()[0]?.index ?? 0, column: 0 })
  }
  const textOf = ({ row, column }: Cell) => whole(frame.fields[column].values[rows[row]], frame.fields[column])
  return (
    <>
      <div ref={box} className="table" role="table" aria-label={frame.name || frame.refId || 'Table'} aria-rowcount={frame.length + 1} tabIndex={0} onKeyDown={press}>
        <div className="table-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: columns }}>
          {frame.fields.map((field, i) => (
            <div key={i} role="columnheader" className={classOf(field)} aria-sort={order?.column !== i ? 'none' : order.down ? 'descending' : 'ascending'}>
              <button type="button" onClick={() => sort(i)} title={field.config.description ? `${titleOf(field)}: ${field.config.description}` : titleOf(field)}>
                <span>{titleOf(field)}</span>{order?.column === i && <Icon name={order.down ? 'down' : 'up'} />}
              </button>
              <Grip onResize={(width) => setResized((was) => ({ ...was, [i]: width }))} onReset={() => setResized(({ [i]: _, ...others }) => others)} />
            </div>
          ))}
        </div>
        <div className="table-body" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => (
            <div key={item.key} role="row" aria-rowindex={item.index + 2} style={{ gridTemplateColumns: columns, transform: `translateY(${item.start}px)` }}>
              {frame.fields.map((field, i) => (
                <div key={i} role="cell" className={`${classOf(field)} ${cell?.row === item.index && cell.column === i ? 'chosen' : ''}`} onClick={() => setCell({ row: item.index, column: i })}>
                  <Value frame={frame} field={field} row={rows[item.index]} range={range} />
                </div>
              ))}
            </div>
          ))}
        </div>
      </div>
      {cell && cell.row < frame.length && cell.column < frame.fields.length && (
        <section className="cell-detail" aria-label="Cell">
          <header>
            <b>{titleOf(frame.fields[cell.column])}</b><span className="quiet">row {formatCount(cell.row + 1)}</span>
            {linksOf(frame, frame.fields[cell.column], rows[cell.row], range).map((link, i) => <LinkTo key={i} link={link}>{link.title}</LinkTo>)}
            <span className="spread" />
            <button type="button" className="button" onClick={() => void copy(textOf(cell), 'Value')}><Icon name="copy" />Copy</button>
            <button type="button" className="icon-button" aria-label="Close the cell" onClick={() => setCell(undefined)}><Icon name="close" /></button>
          </header>
          <pre tabIndex={0}>{textOf(cell)}</pre>
        </section>
      )}
    </>
  )
}

interface Cell {
  /** Of those in order. */
  row: number
  column: number
}

const steps: Record<string, [rows: number, columns: number]> = {
  ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageDown: [15, 0], PageUp: [-15, 0], Home: [-Infinity, 0], End: [Infinity, 0],
}

function Value({ frame, field, row, range }: { frame: Frame; field: Field; row: number; range: [number, number] }) {
  const value = field.values[row]
  const text = formatValue(value, field)
  const color = colorOf(colorName(value, field))
  const link = field.config.links?.length ? linksOf(frame, field, row, range)[0] : undefined
  return (
    <>
      {color && <i className="mark" style={{ background: color }} />}
      {link ? <LinkTo link={link}>{text}</LinkTo> : text}
    </>
  )
}

const LinkTo = ({ link, children }: { link: Anchor; children: React.ReactNode }) =>
  <a href={link.href} title={link.title} target={link.blank ? '_blank' : undefined} rel={link.blank ? 'noreferrer' : undefined}>{children}</a>

/** The edge of a column, which is dragged; a double click gives back the width that it had. */
function Grip({ onResize, onReset }: { onResize: (width: number) => void; onReset: () => void }) {
  const drag = (event: React.PointerEvent<HTMLElement>) => {
    const grip = event.currentTarget
    const width = grip.parentElement!.clientWidth
    const begin = event.clientX
    grip.setPointerCapture(event.pointerId)
    grip.onpointermove = (moved) => onResize(Math.max(48, width + moved.clientX - begin))
    grip.onpointerup = () => (grip.onpointermove = grip.onpointerup = null)
  }
  return <i className="grip" aria-hidden="true" onPointerDown={drag} onDoubleClick={onReset} />
}

/** A value in full: what somebody copies. */
function whole(value: unknown, field: Field): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'object') return JSON.stringify(value, null, 2)
  return field.type === 'number' ? String(value) : formatValue(value, field)
}

const classOf = (field: Field) => (field.type === 'number' ? 'right' : '')

/** The rows of a frame in an order; what has no value comes last. */
function ordered(frame: Frame, order?: Order): Uint32Array {
  const rows = Uint32Array.from({ length: frame.length }, (_, i) => i)
  if (!order) return rows
  const { values, type } = frame.fields[order.column]
  const sign = order.down ? -1 : 1
  const keys = type === 'number' || type === 'time' || type === 'boolean' || type === 'enum' ? [] : values.map(keyOf)
  const compare = type === 'number' || type === 'time' || type === 'boolean' || type === 'enum'
    ? (a: number, b: number) => Number(values[a]) - Number(values[b])
    : (a: number, b: number) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : 0)
  return rows.sort((a, b) => {
    const none = Number(missing(values[a])) - Number(missing(values[b]))
    return none || sign * compare(a, b)
  })
}

/**
 * What a text is sorted by: without case and accents, and numbers in it by
 * their size. To compare these is ten times faster than to ask a collator.
 */
function keyOf(value: unknown): string {
  const text = (typeof value === 'object' ? JSON.stringify(value) : String(value)).toLowerCase()
  const plain = /[^\0-\x7f]/.test(text) ? text.normalize('NFKD').replace(/\p{M}/gu, '') : text
  return plain.replace(/\d+/g, (digits) => digits.replace(/^0+(?=\d)/, '').padStart(16, '0'))
}

const missing = (value: unknown) => value === null || value === undefined || Number.isNaN(value)

/** How many characters a column needs, by some of its values. */
function widthOf(field: Field): number {
  const step = Math.max(1, Math.floor(field.values.length / 50))
  let most = titleOf(field).length + 3
  for (let row = 0; row < field.values.length; row += step) most = Math.max(most, formatValue(field.values[row], field).length + 3)
  return Math.min(most, 60)
}
