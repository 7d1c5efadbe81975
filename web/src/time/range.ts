// Time ranges as people write them: "now-6h" to "now", a date, a number of
// milliseconds.
import { currentZone, formatTime } from '../frame/time.ts'

export interface Range {
  from: string
  to: string
}

const unit: Record<string, number> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5, M: 2592e6, y: 31536e6 }
const relative = /^now(?:([+-])(\d+)([smhdwMy]))?(?:\/([smhdwMy]))?$/

/** The time that a text says, in Unix milliseconds; NaN if it says none. */
export function readTime(text: string, end: boolean, now = Date.now()): number {
  text = text.trim()
  const match = relative.exec(text)
  if (match) return readRelative(match, end, now)
  if (/^\d{10,}$/.test(text)) return Number(text)
  // A date alone is one of UTC, as it is to the server; with a time, of the zone that times are shown in.
  const bare = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text)
  return /^\d{4}/.test(text) ? Date.parse(text.replace(' ', 'T') + (bare && currentZone() === 'utc' ? 'Z' : '')) : NaN
}

function readRelative([, sign, count, by, floor]: RegExpExecArray, end: boolean, now: number): number {
  const t = new Date(now)
  const n = (sign === '-' ? -1 : 1) * Number(count ?? 0)
  if (by === 'M') t.setMonth(t.getMonth() + n)
  else if (by === 'y') t.setFullYear(t.getFullYear() + n)
  else if (by) t.setTime(t.getTime() + n * unit[by])
  if (!floor) return t.getTime()
  const start = floored(t, floor)
  return end ? next(start, floor) - 1 : start
}

function floored(t: Date, by: string): number {
  if (by === 's' || by === 'm' || by === 'h') return Math.floor(t.getTime() / unit[by]) * unit[by]
  t.setUTCHours(0, 0, 0, 0)
  if (by === 'w') t.setUTCDate(t.getUTCDate() - ((t.getUTCDay() + 6) % 7))
  if (by === 'M' || by === 'y') t.setUTCDate(1)
  if (by === 'y') t.setUTCMonth(0)
  return t.getTime()
}

function next(start: number, by: string): number {
  const t = new Date(start)
  if (by === 'M') return t.setUTCMonth(t.getUTCMonth() + 1)
  return by === 'y' ? t.setUTCFullYear(t.getUTCFullYear() + 1) : start + unit[by]
}

/** Both ends in Unix milliseconds. */
export function resolve(range: Range, now = Date.now()): [from: number, to: number] {
  return [readTime(range.from, false, now), readTime(range.to, true, now)]
}

/** The range as the server reads it, which knows no dates but what is relative to now. */
export function forServer(range: Range): Range {
  const [from, to] = resolve(range)
  return { from: range.from.trim().startsWith('now') ? range.from.trim() : String(from), to: range.to.trim().startsWith('now') ? range.to.trim() : String(to) }
}

/** What is wrong with a range; '' if nothing is. */
export function faultOf(range: Range): string {
  const [from, to] = resolve(range)
  if (Number.isNaN(from)) return `"${range.from}" is no time: try now-6h, 2026-01-31 or 2026-01-31T08:00:00Z`
  if (Number.isNaN(to)) return `"${range.to}" is no time: try now, 2026-01-31 or 2026-01-31T08:00:00Z`
  return from >= to ? 'The range ends before it begins' : ''
}

export const quick: { range: Range; title: string }[] = [
  ['now-5m', 'Last 5 minutes'], ['now-15m', 'Last 15 minutes'], ['now-1h', 'Last hour'], ['now-6h', 'Last 6 hours'], ['now-24h', 'Last 24 hours'],
  ['now-7d', 'Last 7 days'], ['now-30d', 'Last 30 days'], ['now-1y', 'Last year'],
].map(([from, title]) => ({ range: { from, to: 'now' }, title }))
quick.push({ range: { from: 'now/d', to: 'now/d' }, title: 'Today' }, { range: { from: 'now-1d/d', to: 'now-1d/d' }, title: 'Yesterday' })

/** A range in words. */
export function describe(range: Range): string {
  const known = quick.find((q) => q.range.from === range.from && q.range.to === range.to)
  return known?.title ?? `${end(range.from)} to ${end(range.to)}`
}

/** An end of a range as people write it. */
export const written = (text: string) => (/^\d{10,}$/.test(text) ? formatTime(Number(text)) : text)

const end = (text: string) => written(text).replace(/(:\d\d):\d\d(\.\d+)?$/, '$1')

/** A range that means the same to whoever reads it: times of no zone become those of the world. */
export const settled = (range: Range): Range => ({ from: settledTime(range.from, false), to: settledTime(range.to, true) })

const settledTime = (text: string, end: boolean) => (/^\d{4}-\d\d-\d\d[ T][\d:.]+$/.test(text.trim()) ? String(readTime(text, end)) : text.trim())

/** A range of milliseconds, as dragging over a graph makes it. */
export const absolute = (from: number, to: number): Range => ({ from: String(Math.round(from)), to: String(Math.round(to)) })

/** Twice as long, around the same middle. */
export function zoomedOut(range: Range): Range {
  const [from, to] = resolve(range)
  return absolute(from - (to - from) / 2, to + (to - from) / 2)
}
