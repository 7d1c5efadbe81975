// Frames as lines of a graph.
import { isNumeric, isTime, titleOf, type Field, type Frame } from './frame.ts'

export interface Series {
  title: string
  unit: string
  decimals?: number
  /** Unix milliseconds, ascending. */
  times: number[]
  values: (number | null)[]
}

/** The lines in frames: every column of numbers beside a column of times. */
export function seriesOf(frames: Frame[]): Series[] {
  return frames.flatMap((frame) => {
    const time = frame.fields.find(isTime)
    if (!time) return []
    const sorted = inOrder(time.values as (number | null)[])
    const groups = frame.meta.type === 'timeseries-long' ? groupsOf(frame, sorted) : [{ rows: sorted, name: '' }]
    return groups.flatMap(({ rows, name }) => frame.fields.filter(isNumeric).map((field) => lineOf(time, field, rows, name)))
  })
}

/** Whether frames are worth a graph without being asked for one. */
export function isGraph(frames: Frame[]): boolean {
  return frames.some((frame) => {
    const lines = frame.fields.some(isTime) && frame.fields.some(isNumeric)
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
  return {
    title: titleOf(field) + (name && ` {${name}}`),
    unit: field.config.unit ?? '',
    decimals: field.config.decimals ?? undefined,
    times: rows.map((row) => time.values[row] as number),
    values: rows.map((row) => finite(field.values[row])),
  }
}

const finite = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : null)
