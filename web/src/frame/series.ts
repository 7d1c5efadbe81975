// Frames as lines of a graph.
import { colorOf } from './color.ts'
import { thresholdsOf } from './format.ts'
import { isNumeric, isTime, titleOf, type Field, type Frame } from './frame.ts'

export interface Series {
  title: string
  unit: string
  decimals?: number
  /** What the axis is to show at least; the data decides where there is none. */
  min?: number
  max?: number
  /** The colour that the field wants. */
  color?: string
  thresholds: { value: number; color?: string }[]
  /** Whether what is missing is drawn over. */
  spanGaps: boolean
  /** Unix milliseconds, ascending. */
  times: number[]
  values: (number | null)[]
}

/** What is one of a few states over time. */
export interface Band {
  title: string
  times: number[]
  /** Indices into states; null is none. */
  values: (number | null)[]
  states: { text: string; color?: string }[]
}

/** The bands in frames: every column of enums beside a column of times. */
export function bandsOf(frames: Frame[]): Band[] {
  return frames.flatMap((frame) => {
    const time = frame.fields.find(isTime)
    if (!time) return []
    const rows = inOrder(time.values as (number | null)[])
    return frame.fields.filter(isEnum).map((field): Band => {
      const { text = [], color = [] } = field.config.type?.enum ?? {}
      return {
        title: titleOf(field),
        times: rows.map((row) => time.values[row] as number),
        values: rows.map((row) => field.values[row] as number | null),
        states: text.map((text, i) => ({ text, color: colorOf(color[i]) })),
      }
    })
  })
}

/** The lines in frames: every column of numbers beside a column of times. */
export function seriesOf(frames: Frame[]): Series[] {
  const lines = frames.flatMap((frame) => {
    const time = frame.fields.find(isTime)
    if (!time) return []
    const sorted = inOrder(time.values as (number | null)[])
    const groups = frame.meta.type === 'timeseries-long' ? groupsOf(frame, sorted) : [{ rows: sorted, name: '' }]
    return groups.flatMap(({ rows, name }) => frame.fields.filter(isNumeric).map((field) => ({ refId: frame.refId, line: lineOf(time, field, rows, name) })))
  })
  return toldApart(lines)
}

/** Lines of one title get the ref ids of their queries, and what is still the same a number. */
function toldApart(lines: { refId: string; line: Series }[]): Series[] {
  const of = Map.groupBy(lines, ({ line }) => line.title)
  const used = new Map<string, number>()
  return lines.map(({ refId, line }) => {
    const same = of.get(line.title)!
    if (same.length === 1) return line
    const title = same.some((other) => other.refId !== refId) ? `${line.title} · ${refId}` : line.title
    const n = (used.get(title) ?? 0) + 1
    used.set(title, n)
    return { ...line, title: n > 1 ? `${title} (${n})` : title }
  })
}

/** Whether frames are worth a graph without being asked for one. */
export function isGraph(frames: Frame[]): boolean {
  return frames.some((frame) => {
    const lines = frame.fields.some(isTime) && frame.fields.some((field) => isNumeric(field) || isEnum(field))
    // One value of each series is better read than drawn.
    if (frame.meta.type?.startsWith('numeric') || (frame.length < 2 && frame.meta.channel === undefined)) return false
    return lines && (frame.meta.type?.startsWith('timeseries') || frame.meta.channel !== undefined || !frame.fields.some((f) => f.type === 'string'))
  })
}

/** The rows that have a time, by that. */
function inOrder(times: (number | null)[]): number[] {
  const rows: number[] = []
  let ordered = true
  let last = -Infinity
  times.forEach((time, row) => {
    if (time === null) return
    ordered &&= time >= last
    last = time
    rows.push(row)
  })
  return ordered ? rows : rows.sort((a, b) => times[a]! - times[b]!)
}

/** In a long frame, the rows of one line have the same texts. */
function groupsOf(frame: Frame, rows: number[]): { rows: number[]; name: string }[] {
  const texts = frame.fields.filter((field) => field.type === 'string' || field.type === 'boolean')
  const groups = new Map<string, number[]>()
  for (const row of rows) {
    const name = texts.map((field) => `${field.name}="${field.values[row]}"`).join(', ')
    const group = groups.get(name)
    if (group) group.push(row)
    else groups.set(name, [row])
  }
  return [...groups].map(([name, rows]) => ({ name, rows }))
}

function lineOf(time: Field, field: Field, rows: number[], name: string): Series {
  const { unit = '', decimals, min, max, color, custom } = field.config
  const spanNulls = custom?.spanNulls ?? false
  const times = rows.map((row) => time.values[row] as number)
  const values = rows.map((row) => finite(field.values[row]))
  return {
    title: titleOf(field) + (name && ` {${name}}`),
    unit,
    decimals: decimals ?? undefined,
    min: min ?? undefined,
    max: max ?? undefined,
    color: color?.mode === 'fixed' ? colorOf(color.fixedColor) : undefined,
    thresholds: thresholdsOf(field.config),
    spanGaps: spanNulls === true,
    ...(typeof spanNulls === 'number' ? bridged(times, values, spanNulls) : { times, values }),
  }
}

/** Without what is missing for no longer than some milliseconds. */
function bridged(times: number[], values: (number | null)[], most: number): Pick<Series, 'times' | 'values'> {
  const kept: number[] = []
  let last = -1
  values.forEach((value, row) => {
    if (value === null) return
    if (last >= 0 && times[row] - times[last] > most) for (let none = last + 1; none < row; none++) kept.push(none)
    kept.push(row)
    last = row
  })
  return { times: kept.map((row) => times[row]), values: kept.map((row) => values[row]) }
}

const isEnum = (field: Field) => field.type === 'enum'

const finite = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : null)
