import { useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import { formatNumber, formatTime } from '../frame/format.ts'
import type { Frame } from '../frame/frame.ts'
import { seriesOf, type Series } from '../frame/series.ts'
import { useTheme } from '../shell/theme.ts'

interface GraphProps {
  frames: Frame[]
  range: [from: number, to: number]
  /** Whether the time goes on: the graph moves with the last point. */
  live?: boolean
  onZoom?: (from: number, to: number) => void
}

interface Line extends Series {
  color: string
}

// More lines than this are no graph any more, only slow.
const most = 100

/** Lines over time. What has another unit has a plot of its own below. */
export function Graph({ frames, range, live = false, onZoom }: GraphProps) {
  const theme = useTheme()
  const all = useMemo(() => seriesOf(frames), [frames])
  const lines = useMemo(() => all.slice(0, most).map((s, i): Line => ({ ...s, color: colorOf(i) })), [all, theme])
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const [at, setAt] = useState<number | null>(null)
  const plots = useMemo(() => [...Map.groupBy(lines, (line) => line.unit).values()], [lines])
  const sync = useMemo(() => uPlot.sync(crypto.randomUUID()), [])
  if (!lines.length) return <p className="hint">There is nothing to draw: a graph takes a column of times and one of numbers.</p>

  const span = spanOf(lines, range, live)
  const height = plots.length === 1 ? 300 : Math.max(130, 420 / plots.length)
  const toggle = (title: string) => setHidden((was) => (was.has(title) ? new Set([...was].filter((t) => t !== title)) : new Set([...was, title])))
  return (
    <div className="graph">
      {plots.map((plot, i) => (
        <Plot key={plot.map((l) => l.title).join('\n')} lines={plot} hidden={hidden} span={span} last={i === plots.length - 1} height={height} theme={theme} sync={sync} onZoom={onZoom} onCursor={setAt} />
      ))}
      <ul className="legend" aria-label="Lines">
        {lines.map((line, i) => (
          <li key={i}>
            <button type="button" aria-pressed={!hidden.has(line.title)} onClick={() => toggle(line.title)}>
              <Swatch color={line.color} /><span>{line.title}</span><b>{valueAt(line, at)}</b>
            </button>
          </li>
        ))}
        <li className="legend-time quiet">{at === null ? '' : formatTime(at)}</li>
      </ul>
      {all.length > most && <p className="hint">The first {most} of {all.length} lines are drawn.</p>}
    </div>
  )
}

function Swatch({ color }: { color: string }) {
  return <svg className="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" rx="3" fill={color} /></svg>
}

const colorOf = (i: number) => getComputedStyle(document.documentElement).getPropertyValue(`--line-${(i % 8) + 1}`).trim()

/** The value of a line at a time, or its last. */
function valueAt(line: Line, at: number | null): string {
  let i = line.values.length - 1
  if (at !== null) {
    i = line.times.findLastIndex((time) => time <= at)
    const next = i + 1
    if (next < line.times.length && (i < 0 || line.times[next] - at < at - line.times[i])) i = next
  }
  const value = line.values[i]
  return value === null || value === undefined ? '–' : formatNumber(value, line.unit, line.decimals)
}

/** What the time axis shows: the range that was asked for, unless the answer is of another time. */
function spanOf(lines: Line[], [from, to]: [number, number], live: boolean): [number, number] {
  const first = Math.min(...lines.map((l) => l.times[0] ?? Infinity))
  const last = Math.max(...lines.map((l) => l.times.at(-1) ?? -Infinity))
  if (live) {
    // It begins narrow, so that the first points are not lost at its edge.
    const width = Math.min(to - from, Math.max(last - first, (to - from) / 10))
    return [last - width, last]
  }
  if (first > to || last < from) return first === last ? [first - 1000, last + 1000] : [first, last]
  return [from, to]
}

interface PlotProps {
  lines: Line[]
  hidden: ReadonlySet<string>
  span: [number, number]
  /** Whether it is the one that has the time below. */
  last: boolean
  height: number
  theme: string
  sync: uPlot.SyncPubSub
  onZoom?: (from: number, to: number) => void
  onCursor: (at: number | null) => void
}

function Plot({ lines, hidden, span, last, height, theme, sync, onZoom, onCursor }: PlotProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const latest = useRef({ onZoom, onCursor, span })
  latest.current = { onZoom, onCursor, span }
  const data = useMemo(() => dataOf(lines), [lines])
  const titles = lines.map((l) => l.title).join('\n')

  useEffect(() => {
    const made = new uPlot(optionsOf(lines, last, box.current!.clientWidth, height, latest, sync), data, box.current!)
    plot.current = made
    const resized = new ResizeObserver(() => made.setSize({ width: box.current!.clientWidth, height }))
    resized.observe(box.current!)
    return () => {
      resized.disconnect()
      made.destroy()
      plot.current = undefined
    }
    // Of the lines, only which they are makes another plot; their data is set below.
  }, [titles, height, last, theme, sync])

  useEffect(() => {
    plot.current?.batch(() => {
      plot.current!.setData(data, false)
      plot.current!.setScale('x', { min: span[0], max: span[1] })
    })
  }, [data, span[0], span[1], theme, height, titles])
  useEffect(() => {
    lines.forEach((line, i) => plot.current?.setSeries(i + 1, { show: !hidden.has(line.title) }))
  }, [hidden, titles, theme])
  return <div ref={box} className="plot" role="img" aria-label={`Graph of ${lines.map((l) => l.title).join(', ')}`} />
}

function dataOf(lines: Line[]): uPlot.AlignedData {
  const same = lines.every((line) => line.times === lines[0].times || (line.times.length === lines[0].times.length && line.times.every((t, i) => t === lines[0].times[i])))
  if (same) return [lines[0].times, ...lines.map((l) => l.values)]
  return uPlot.join(lines.map((l) => [l.times, l.values]))
}

type Latest = React.RefObject<Pick<PlotProps, 'onZoom' | 'onCursor' | 'span'>>

function optionsOf(lines: Line[], last: boolean, width: number, height: number, latest: Latest, sync: uPlot.SyncPubSub): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(name).trim()
  const axis = { stroke: color('--quiet'), font: `11px ${style.fontFamily}`, grid: { stroke: color('--grid'), width: 1 }, ticks: { show: false } }
  const { unit, decimals } = lines[0]
  return {
    width, height, ms: 1,
    legend: { show: false },
    padding: [12, 12, 0, 0],
    cursor: {
      sync: { key: sync.key },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7, fill: (_, i) => lines[i - 1].color },
    },
    scales: { x: { time: true, range: () => latest.current.span } },
    axes: [
      { ...axis, space: 80, size: last ? 28 : 6, values: (_, ticks, __, ___, step) => ticks.map((tick) => (last ? timeLabel(tick, step) : '')) },
      { ...axis, size: 70, ...(unit === 'bytes' && { incrs: powersOfTwo }), values: (_, ticks) => ticks.map((tick) => formatNumber(tick, unit, decimals)) },
    ],
    series: [{}, ...lines.map((line): uPlot.Series => ({ label: line.title, stroke: line.color, width: 1.6, spanGaps: false, points: { show: (u) => u.data[0].length < 40, size: 5 } }))],
    hooks: {
      setCursor: [(u) => latest.current.onCursor(u.cursor.idx == null ? null : u.data[0][u.cursor.idx])],
      setSelect: [(u) => {
        if (u.select.width < 4) return
        const [from, to] = [u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')]
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        latest.current.onZoom?.(from, to)
      }],
    },
  }
}

const powersOfTwo = Array.from({ length: 60 }, (_, i) => 2 ** i)

/** A time on the axis, as much of it as differs from its neighbours a step away. */
function timeLabel(ms: number, step: number): string {
  const text = formatTime(ms)
  if (step >= 300 * 864e5) return text.slice(0, 4)
  if (step >= 27 * 864e5) return text.slice(0, 7)
  if (step >= 864e5) return text.slice(0, 10)
  return step >= 6e4 ? text.slice(11, 16) : text.slice(11, 19)
}
