// A plugin's own metrics, in Prometheus' text.

/** One number that is counted or measured. */
export interface Series {
  name: string
  /** As they are written, without braces. */
  labels: string
  value: number
  help: string
}

const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/

/** Reads metrics. What a histogram has in its buckets is left out: its sum and its count say what there is to read. */
export function readMetrics(text: string): Series[] {
  const helps = new Map<string, string>()
  const series: Series[] = []
  for (const line of text.split('\n')) {
    const [, of, help] = /^# HELP (\S+) (.*)/.exec(line) ?? []
    if (of) helps.set(of, help)
    const [, name, labels = '', value] = sample.exec(line) ?? []
    if (!name || name.endsWith('_bucket')) continue
    series.push({ name, labels, value: Number(value), help: helps.get(name.replace(/_(sum|count)$/, '')) ?? helps.get(name) ?? '' })
  }
  return series
}

/** What a number is of, as far as its name says. */
export function unitOf(name: string): string {
  if (/_bytes(_sum|_total)?$/.test(name)) return 'bytes'
  return /_seconds(_sum|_total)?$/.test(name) && !name.includes('_time_') ? 's' : ''
}
