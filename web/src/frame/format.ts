// Values as people read them.
import type { Field } from './frame.ts'

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
const decimal = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** What stands behind a number, by the names that plugins give units. */
const suffixes: Record<string, string> = {
  percent: '%', reqps: ' req/s', ops: ' ops/s', rps: ' rd/s', wps: ' wr/s', cps: '/s', hertz: ' Hz', celsius: ' °C', fahrenheit: ' °F',
  kelvin: ' K', humidity: ' %H', degree: '°', lengthm: ' m', lengthkm: ' km', lengthmm: ' mm', velocityms: ' m/s', velocitykmh: ' km/h',
  watt: ' W', volt: ' V', amp: ' A', pressurehpa: ' hPa', rotrpm: ' rpm', dB: ' dB',
}

const seconds: Record<string, number> = { ns: 1e-9, 'µs': 1e-6, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86400 }

const currencies: Record<string, string> = { currencyUSD: '$', currencyEUR: '€', currencyGBP: '£', currencyJPY: '¥' }

/** A number with its unit. Without decimals, as many digits as tell something. */
export function formatNumber(value: number, unit = '', decimals?: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞'
  switch (unit) {
    case 'bytes': return scaled(value, 1024, binary, decimals)
    case 'decbytes': return scaled(value, 1000, decimal, decimals)
    case 'percentunit': return digits(value * 100, decimals) + '%'
  }
  if (unit in seconds) return formatSeconds(value * seconds[unit], decimals)
  if (unit in currencies) return currencies[unit] + digits(value, decimals ?? 2)
  if (unit.startsWith('prefix:')) return unit.slice(7) + digits(value, decimals)
  const suffix = unit.startsWith('suffix:') ? unit.slice(7) : (suffixes[unit] ?? (unit && unit !== 'none' && unit !== 'short' ? ` ${unit}` : ''))
  return digits(value, decimals) + suffix
}

function digits(value: number, decimals?: number): string {
  if (decimals !== undefined) return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(3)
  return value.toLocaleString('en-US', { maximumFractionDigits: size >= 1000 ? 1 : size >= 1 ? 3 : 5 })
}

function scaled(value: number, base: number, names: string[], decimals?: number): string {
  let step = 0
  while (Math.abs(value) >= base && step < names.length - 1) {
    value /= base
    step++
  }
  return `${digits(value, decimals ?? (step === 0 ? 0 : 1))} ${names[step]}`
}

/** A length of time in its largest unit that is not below one. */
export function formatSeconds(value: number, decimals?: number): string {
  const size = Math.abs(value)
  const [name, unit] = size >= 172800 ? ['d', 86400] : size >= 7200 ? ['h', 3600] : size >= 120 ? ['min', 60] : size >= 1 || size === 0 ? ['s', 1]
    : size >= 1e-3 ? ['ms', 1e-3] : size >= 1e-6 ? ['µs', 1e-6] : ['ns', 1e-9]
  return `${(value / unit).toLocaleString('en-US', { maximumFractionDigits: decimals ?? 2 })} ${name}`
}

export const formatBytes = (value: number) => scaled(value, 1024, binary)

export const formatCount = (value: number) => value.toLocaleString('en-US')

const two = (n: number) => String(n).padStart(2, '0')

/** A time as 2026-11-22 15:04:05, in the time zone of who reads. */
export function formatTime(ms: number): string {
  const t = new Date(ms)
  if (Number.isNaN(t.getTime())) return String(ms)
  const date = `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`
  const fraction = t.getMilliseconds() ? '.' + String(t.getMilliseconds()).padStart(3, '0') : ''
  return `${date} ${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}${fraction}`
}

/** How long ago something was, as "3 min ago". */
export function formatAgo(time: string | number, now = Date.now()): string {
  const past = (now - new Date(time).getTime()) / 1000
  return past < 2 ? 'just now' : `${formatSeconds(Math.round(past), 0)} ago`
}

/** One value of a field as text; '' for none. */
export function formatValue(value: unknown, field: Field): string {
  if (value === null || value === undefined) return ''
  switch (field.type) {
    case 'time': return typeof value === 'number' ? formatTime(value) : String(value)
    case 'number': return typeof value === 'number' ? formatNumber(value, field.config.unit, field.config.decimals) : String(value)
    case 'enum': return field.config.type?.enum?.text?.[value as number] ?? String(value)
    default: return typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
}
