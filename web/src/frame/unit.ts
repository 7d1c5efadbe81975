// Numbers with units, by the names that Grafana gave those.
import { formatAgo, formatTime, two } from './time.ts'

type Format = (value: number, decimals?: number) => string

/** A number as people read it: without decimals, with as many digits as tell something. */
export function digits(value: number, decimals?: number): string {
  if (decimals !== undefined) return value.toLocaleString('en-US', { minimumFractionDigits: Math.min(decimals, 20), maximumFractionDigits: Math.min(decimals, 20) })
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(3)
  return value.toLocaleString('en-US', { maximumFractionDigits: size >= 1000 ? 1 : size >= 1 ? 3 : 5 })
}

/** Three digits, which is what a scaled number tells. */
const rounded = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2 })

/** In the largest of some steps that is not below one. */
function scaled(base: number, steps: string[], first = 0): Format {
  return (value, decimals) => {
    let step = first
    while (Math.abs(value) >= base && step < steps.length - 1) {
      value /= base
      step++
    }
    while (Math.abs(value) < 1 && value !== 0 && step > first && step > 0) {
      value *= base
      step--
    }
    return (decimals !== undefined || step === first ? digits(value, decimals) : rounded(value)) + steps[step]
  }
}

const iec = (unit: string, first = 0) => scaled(1024, ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((p) => ` ${p}${unit}`), first)
const si = (unit: string, first = 0) => scaled(1000, ['', 'k', 'M', 'G', 'T', 'P', 'E'].map((p) => ` ${p}${unit}`), first)
const count = (unit: string) => scaled(1000, ['', 'K', 'M', 'B', 'T'].map((p) => `${p}${unit && ` ${unit}`}`))
const behind = (unit: string): Format => (value, decimals) => digits(value, decimals) + unit
const before = (unit: string): Format => (value, decimals) => unit + scaled(1000, ['', 'K', 'M', 'B', 'T'])(value, decimals ?? (Math.abs(value) < 1000 ? 2 : undefined)).replace(/^-/, '−')

/** SI with prefixes below one as well: 3 mV, 40 µA. */
const electric = (unit: string, factor = 1): Format => (value, decimals) => {
  value *= factor
  const size = Math.abs(value)
  const [by, prefix] = size === 0 || size >= 1 ? [1, ''] : size >= 1e-3 ? [1e-3, 'm'] : size >= 1e-6 ? [1e-6, 'µ'] : [1e-9, 'n']
  return prefix ? `${digits(value / by, decimals)} ${prefix}${unit}` : si(unit)(value, decimals)
}

/** A length of time in its largest unit that is not below one. */
export function formatSeconds(value: number, decimals?: number): string {
  const size = Math.abs(value)
  const [name, unit] = size >= 31557600 ? ['a', 31557600] : size >= 172800 ? ['d', 86400] : size >= 7200 ? ['h', 3600] : size >= 120 ? ['min', 60] : size >= 1 || size === 0 ? ['s', 1]
    : size >= 1e-3 ? ['ms', 1e-3] : size >= 1e-6 ? ['µs', 1e-6] : ['ns', 1e-9]
  return `${(value / unit).toLocaleString('en-US', { maximumFractionDigits: decimals ?? 2 })} ${name}`
}

/** 1 d 02:03:04, and without days 02:03:04. */
function clock(seconds: number, days: boolean): string {
  const whole = Math.round(Math.abs(seconds))
  const d = days ? Math.floor(whole / 86400) : 0
  const rest = whole - d * 86400
  return `${seconds < 0 ? '−' : ''}${d ? `${d} d ` : ''}${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`
}

/** 2 hours, 5 minutes: the two largest parts. */
function spoken(seconds: number): string {
  const parts: string[] = []
  let rest = Math.abs(seconds)
  for (const [name, unit] of [['year', 31536000], ['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]] as const) {
    const n = Math.floor(rest / unit)
    rest -= n * unit
    if (n && parts.length < 2) parts.push(`${n} ${name}${n > 1 ? 's' : ''}`)
  }
  return parts.join(', ') || formatSeconds(seconds)
}

/** A time as a pattern says: YYYY-MM-DD HH:mm:ss.SSS. */
function patterned(ms: number, pattern: string): string {
  const text = formatTime(ms).padEnd(23, '.000')
  const parts: Record<string, string> = { YYYY: text.slice(0, 4), YY: text.slice(2, 4), MM: text.slice(5, 7), DD: text.slice(8, 10), HH: text.slice(11, 13), mm: text.slice(14, 16), ss: text.slice(17, 19), SSS: text.slice(20, 23) }
  return pattern.replace(/YYYY|YY|MM|DD|HH|mm|ss|SSS/g, (part) => parts[part])
}

const table: Record<string, Format> = {
  none: digits, string: digits, short: scaled(1000, ['', ' K', ' Mil', ' Bil', ' Tri', ' Quadr']), locale: digits,
  percentunit: (v, d) => digits(v * 100, d) + '%', percent: behind('%'),
  sci: (v, d) => v.toExponential(d), hex: (v) => Math.trunc(v).toString(16).toUpperCase(), hex0x: (v) => '0x' + Math.trunc(v).toString(16).toUpperCase(),
  bool: (v) => (v ? 'True' : 'False'), bool_yes_no: (v) => (v ? 'Yes' : 'No'), bool_on_off: (v) => (v ? 'On' : 'Off'),
  bytes: iec('B'), kbytes: iec('B', 1), mbytes: iec('B', 2), gbytes: iec('B', 3), tbytes: iec('B', 4), pbytes: iec('B', 5),
  decbytes: si('B'), deckbytes: si('B', 1), decmbytes: si('B', 2), decgbytes: si('B', 3), dectbytes: si('B', 4), decpbytes: si('B', 5),
  bits: iec('b'), decbits: si('b'), binBps: iec('B/s'), Bps: si('B/s'), binbps: iec('b/s'), bps: si('b/s'), pps: si('p/s'),
  KiBs: iec('B/s', 1), KBs: si('B/s', 1), MiBs: iec('B/s', 2), MBs: si('B/s', 2), GiBs: iec('B/s', 3), GBs: si('B/s', 3),
  Kibits: iec('b/s', 1), Kbits: si('b/s', 1), Mibits: iec('b/s', 2), Mbits: si('b/s', 2), Gibits: iec('b/s', 3), Gbits: si('b/s', 3),
  dtdurationms: (v) => spoken(v / 1000), dtdurations: spoken, dthms: (v) => clock(v, false), dtdhms: (v) => clock(v, true),
  clockms: (v) => clock(v / 1000, false), clocks: (v) => clock(v, false), timeticks: (v, d) => formatSeconds(v / 100, d),
  dateTimeAsIso: formatTime, dateTimeAsIsoNoDateIfToday: (v) => { const t = formatTime(v); return t.slice(0, 10) === formatTime(Date.now()).slice(0, 10) ? t.slice(11) : t },
  dateTimeAsUS: (v) => patterned(v, 'MM/DD/YYYY HH:mm:ss'), dateTimeAsUSNoDateIfToday: (v) => patterned(v, 'MM/DD/YYYY HH:mm:ss'),
  dateTimeAsLocal: formatTime, dateTimeAsSystem: formatTime, dateTimeFromNow: (v) => formatAgo(v),
  hertz: si('Hz'), watt: electric('W'), kwatt: electric('W', 1e3), mwatt: electric('W', 1e-3), megwatt: electric('W', 1e6), gwatt: electric('W', 1e9), volt: electric('V'), kvolt: electric('V', 1e3), mvolt: electric('V', 1e-3),
  amp: electric('A'), kamp: electric('A', 1e3), mamp: electric('A', 1e-3), ohm: electric('Ω'), kohm: electric('Ω', 1e3), Mohm: electric('Ω', 1e6), farad: electric('F'), henry: electric('H'), joule: electric('J'), ev: electric('eV'),
  watth: si('Wh'), kwatth: si('Wh', 1), voltamp: si('VA'), amph: si('Ah'), flops: si('FLOPS'), Hs: si('H/s'), massg: electric('g'), masskg: electric('g', 1e3), masst: behind(' t'), litre: electric('L'), mlitre: electric('L', 1e-3),
}

const seconds: Record<string, number> = { ns: 1e-9, 'µs': 1e-6, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86400 }

const counted: Record<string, string> = {
  cps: 'c/s', ops: 'ops/s', reqps: 'req/s', rps: 'rd/s', wps: 'wr/s', iops: 'io/s', eps: 'evt/s', mps: 'msg/s', recps: 'rec/s', rowps: 'rows/s',
  cpm: 'c/m', opm: 'ops/m', reqpm: 'req/m', rpm: 'rd/m', wpm: 'wr/m', epm: 'evt/m',
}

const suffixes: Record<string, string> = {
  humidity: ' %H', celsius: ' °C', fahrenheit: ' °F', kelvin: ' K', degree: '°', radian: ' rad', arcmin: '′', arcsec: '″', pixel: ' px', dB: ' dB', dBm: ' dBm',
  lengthmm: ' mm', lengthin: ' in', lengthft: ' ft', lengthm: ' m', lengthkm: ' km', lengthmi: ' mi', areaM2: ' m²', areaF2: ' ft²', areaMI2: ' mi²',
  velocityms: ' m/s', velocitykmh: ' km/h', velocitymph: ' mph', velocityknot: ' kn', accMS2: ' m/s²', accG: ' g', rotrpm: ' rpm', rothz: ' Hz', rotrads: ' rad/s',
  pressurembar: ' mbar', pressurebar: ' bar', pressurepa: ' Pa', pressurehpa: ' hPa', pressurekpa: ' kPa', pressurehg: ' inHg', pressurepsi: ' psi',
  massmg: ' mg', masslb: ' lb', m3: ' m³', Nm3: ' Nm³', dm3: ' dm³', gallons: ' gal', flowgpm: ' gpm', flowcms: ' m³/s', litreh: ' L/h', flowlpm: ' L/min', lux: ' lx', lumens: ' lm',
  forceN: ' N', forcekN: ' kN', forceNm: ' Nm', Wm2: ' W/m²', conppm: ' ppm', conppb: ' ppb', 'conμgm3': ' µg/m³', conmgm3: ' mg/m³', conmgdL: ' mg/dL', conmmolL: ' mmol/L', radbq: ' Bq', radsv: ' Sv', radsvh: ' Sv/h',
}

const currencies: Record<string, string> = {
  USD: '$', EUR: '€', GBP: '£', JPY: '¥', CNY: '¥', INR: '₹', KRW: '₩', BRL: 'R$', RUB: '₽', UAH: '₴', TRY: '₺', ILS: '₪', VND: '₫', PLN: 'zł ', BTC: '₿', ZAR: 'R', CHF: 'CHF ', CZK: 'Kč ',
  SEK: 'kr ', NOK: 'kr ', DKK: 'kr ', ISK: 'kr ',
}

/** A number with its unit. What is not known as one is written behind the number. */
export function formatNumber(value: number, unit = '', decimals?: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞'
  return formatOf(unit)(value, decimals)
}

function formatOf(unit: string): Format {
  if (unit === '') return digits
  if (Object.hasOwn(table, unit)) return table[unit]
  if (Object.hasOwn(seconds, unit)) return (value, decimals) => formatSeconds(value * seconds[unit], decimals)
  if (Object.hasOwn(counted, unit)) return count(counted[unit])
  if (Object.hasOwn(suffixes, unit)) return behind(suffixes[unit])
  const [, kind, name] = /^(currency|prefix|suffix|time|si|count):?(.*)$/s.exec(unit) ?? []
  switch (kind) {
    case 'currency': return before(currencies[name] ?? name)
    case 'prefix': return (value, decimals) => name + digits(value, decimals)
    case 'suffix': return behind(name)
    case 'time': return name ? (value) => patterned(value, name) : behind(` ${unit}`)
    case 'si': return si(name)
    case 'count': return count(name)
  }
  return behind(` ${unit}`)
}

/** Whether a unit goes in steps of 1024. */
export const isBinary = (unit: string) => /^([kmgtp]?bytes|bits|bin[Bb]ps|[KMG]i(Bs|bits))$/.test(unit)

export const formatBytes = table.bytes as (value: number) => string
