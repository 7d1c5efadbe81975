import { useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import { colorOf, solid } from '../frame/color.ts'
import { formatNumber, formatTime } from '../frame/format.ts'
import type { Frame } from '../frame/frame.ts'
import { bandsOf, seriesOf, type Series } from '../frame/series.ts'
import { currentZone } from '../frame/time.ts'
import { isBinary } from '../frame/unit.ts'
import { useTheme } from '../shell/theme.ts'
import { drawMarks, untitled, type Mark } from './marks.ts'
import { Bands } from './Bands.tsx'

interface GraphProps {
  frames: Frame[]
  range: [from: number, to: number]
  /** Whether the time goes on: the graph moves with the last point. */
  live?: boolean
  /** Moments at which something happened. */
  marks?: Mark[]
  onZoom?: (from: number, to: number) => void
}

interface Line extends Series {
  color: string
}

// More lines than this are no graph any more, only slow.
const most = 100

/** Lines over time. What has another unit has a plot of its own below. */
export function Graph({ frames, range, live = false, marks, onZoom }: GraphProps) {
  const theme = useTheme()
  const all = useMemo(() => seriesOf(frames), [frames])
  const lines = useMemo(() => all.slice(0, most).map((s, i): Line => ({ ...s, color: s.color ? solid(s.color) : paletteOf(i) })), [all, theme])
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const [at, setAt] = useState<number | null>(null)
  // The plots share the width of their value axes, so that a time is in one place in all.
  const [gutters, setGutters] = useState<number[]>([])
  const bands = useMemo(() => bandsOf(frames), [frames])
  const plots = useMemo(() => [...Map.groupBy(lines, (line) => line.unit).values()], [lines])
  const silent = useMemo(() => untitled(marks), [marks])
  const sync = useMemo(() => uPlot.sync(crypto.randomUUID()), [])
  if (!lines.length && !bands.length) return <p className="hint">There is nothing to draw: a graph takes a column of times and one of numbers or enums.</p>

  const gutter = Math.max(leastGutter, ...plots.map((_, i) => gutters[i] ?? 0))
  const span = spanOf([...lines, ...bands], range, live)
  const height = plots.length === 1 ? 300 : Math.max(130, 420 / plots.length)
  const titles = lines.map((line) => line.title)
  // A click is for one line alone, and another for all; with Ctrl it takes one away, or back.
  const choose = (title: string, more: boolean) => setHidden((was) => {
    if (more) return was.has(title) ? new Set([...was].filter((t) => t !== title)) : new Set([...was, title])
    const others = titles.filter((t) => t !== title)
    return !was.has(title) && others.every((t) => was.has(t)) ? new Set() : new Set(others)
  })
  return (
    <div className="graph" style={{ '--gutter': `${gutter}px` } as React.CSSProperties}>
      {plots.map((plot, i) => (
        <Plot key={plot.map((l) => l.title).join('\n')} lines={plot} hidden={hidden} marks={i === 0 ? marks : silent} span={span} last={i === plots.length - 1} height={height} gutter={gutter} theme={theme} sync={sync} onZoom={onZoom} onCursor={setAt}
          onGutter={(width) => setGutters((was) => (was[i] === width ? was : Object.assign([...was], { [i]: width })))} />
      ))}
      {bands.length > 0 && <Bands bands={bands} span={span} at={at} onCursor={setAt} onZoom={onZoom} />}
      <ul className="legend" aria-label="Lines">
        {lines.map((line, i) => (
          <li key={i}>
            <button type="button" aria-pressed={!hidden.has(line.title)} title="Click: this one alone. Ctrl+click: without it." onClick={(event) => choose(line.title, event.ctrlKey || event.metaKey || event.shiftKey)}>
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

const paletteOf = (i: number) => getComputedStyle(document.documentElement).getPropertyValue(`--line-${(i % 8) + 1}`).trim()

/** The value of a line at a time, or the last that it has. */
function valueAt(line: Line, at: number | null): string {
  let i = line.values.findLastIndex((value) => value !== null)
  if (at !== null) {
    i = line.times.findLastIndex((time) => time <= at)
    const next = i + 1
    if (next < line.times.length && (i < 0 || line.times[next] - at < at - line.times[i])) i = next
  }
  const value = line.values[i]
  return value === null || value === undefined ? '–' : formatNumber(value, line.unit, line.decimals)
}

/** What the time axis shows: the range that was asked for, unless the answer is of another time. */
function spanOf(lines: { times: number[] }[], [from, to]: [number, number], live: boolean): [number, number] {
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
  marks?: Mark[]
  span: [number, number]
  /** Whether it is the one that has the time below. */
  last: boolean
  height: number
  /** How wide the axis of its values is. */
  gutter: number
  theme: string
  sync: uPlot.SyncPubSub
  onZoom?: (from: number, to: number) => void
  onCursor: (at: number | null) => void
  /** Tells how wide its own labels would have the gutter. */
  onGutter: (width: number) => void
}

function Plot({ lines, hidden, marks, span, last, height, gutter, theme, sync, onZoom, onCursor, onGutter }: PlotProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const latest = useRef({ onZoom, onCursor, onGutter, span, marks, gutter })
  latest.current = { onZoom, onCursor, onGutter, span, marks, gutter }
  const data = useMemo(() => dataOf(lines), [lines])
  const titles = lines.map((l) => l.title).join('\n')

  useEffect(() => {
    const around = box.current!
    const made = new uPlot(optionsOf(lines, last, around.clientWidth, height, latest, sync), data, around)
    plot.current = made
    const resized = new ResizeObserver(() => made.setSize({ width: around.clientWidth, height }))
    resized.observe(around)
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
  }, [data, marks, span[0], span[1], theme, height, titles])
  useEffect(() => plot.current?.redraw(true, true), [gutter])
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

type Latest = React.RefObject<Pick<PlotProps, 'onZoom' | 'onCursor' | 'onGutter' | 'span' | 'marks' | 'gutter'>>

function optionsOf(lines: Line[], last: boolean, width: number, height: number, latest: Latest, sync: uPlot.SyncPubSub): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(name).trim()
  const axis = { stroke: color('--quiet'), font: `11px ${style.fontFamily}`, grid: { stroke: color('--grid'), width: 1 }, ticks: { show: false } }
  const { unit, decimals } = lines[0]
  const least = Math.min(...lines.map((l) => l.min ?? Infinity))
  const most = Math.max(...lines.map((l) => l.max ?? -Infinity))
  return {
    width, height, ms: 1,
    ...(currentZone() === 'utc' && { tzDate: (ms: number) => uPlot.tzDate(new Date(ms), 'Etc/UTC') }),
    legend: { show: false },
    padding: [12, 12, 0, 0],
    cursor: {
      sync: { key: sync.key },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7, fill: (_, i) => lines[i - 1].color },
    },
    scales: {
      x: { time: true, range: () => latest.current.span },
      y: { range: (_, from, to) => {
        const [low, high] = uPlot.rangeNum(from ?? 0, to ?? 100, 0.1, true)
        return [Number.isFinite(least) ? Math.min(least, from ?? least) : low ?? 0, Number.isFinite(most) ? Math.max(most, to ?? most) : high ?? 100]
      } },
    },
    axes: [
      { ...axis, space: 80, size: last ? 28 : 6, values: (_, ticks, __, ___, step) => ticks.map((tick) => (last ? timeLabel(tick, step) : '')) },
      { ...axis, ...(isBinary(unit) && { incrs: powersOfTwo }), size: (_, labels) => gutterFor(labels, latest.current), values: (_, ticks) => ticks.map((tick) => formatNumber(tick, unit || 'short', decimals)) },
    ],
    series: [{}, ...lines.map((line): uPlot.Series => ({ label: line.title, stroke: line.color, width: 1.6, spanGaps: line.spanGaps, points: { show: (u) => u.data[0].length < 40, filter: lonely, size: 5 } }))],
    hooks: {
      draw: [(u) => drawThresholds(u, lines), (u) => drawMarks(u, latest.current.marks ?? [], color)],
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

const leastGutter = 70

function gutterFor(labels: string[] | null, { gutter, onGutter }: Latest['current']): number {
  if (!labels) return gutter
  const width = 14 + 6.4 * Math.max(0, ...labels.map((label) => label.length))
  onGutter(width)
  return Math.max(gutter, width)
}

/** Points that have no neighbour to be a line with are drawn as points. */
function lonely(u: uPlot, series: number, shown: boolean): number[] | null {
  if (shown || u.series[series].spanGaps) return null
  const values = u.data[series]
  const points: number[] = []
  // What is undefined is only not at this time: the line goes on over it.
  let [before, last, at] = [false, false, -1]
  for (let i = 0; i <= values.length; i++) {
    const value = i < values.length ? values[i] : null
    if (value === undefined) continue
    if (value === null) {
      if (last && !before) points.push(at)
      ;[before, last] = [false, false]
    } else {
      ;[before, last, at] = [last, true, i]
    }
  }
  return points.length ? points : null
}

/** Dashed lines where thresholds begin that are in sight. */
function drawThresholds(u: uPlot, lines: Line[]) {
  const { ctx, bbox } = u
  const drawn = new Map(lines.flatMap((line) => line.thresholds).map((t) => [t.value, colorOf(t.color)]))
  for (const [value, color] of drawn) {
    const y = u.valToPos(value, 'y', true)
    if (!color || y < bbox.top || y > bbox.top + bbox.height) continue
    ctx.save()
    ctx.strokeStyle = solid(color)
    ctx.lineWidth = devicePixelRatio
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio])
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    ctx.restore()
  }
}

const powersOfTwo = Array.from({ length: 60 }, (_, i) => 2 ** i)

/** A time on the axis, as much of it as differs from its neighbours a step away. */
function timeLabel(ms: number, step: number): string {
  const text = formatTime(ms)
  if (step >= 300 * 864e5) return text.slice(0, 4)
  if (step >= 27 * 864e5) return text.slice(0, 7)
  if (step >= 864e5) return text.slice(0, 10)
  if (step >= 6e4) return text.slice(11, 16)
  return step >= 1e3 ? text.slice(11, 19) : text.slice(11).padEnd(9, '.').padEnd(12, '0')
}
