// PromQL, as far as colours and completion need to know it.
import type { Completion } from '@codemirror/autocomplete'
import { StreamLanguage } from '@codemirror/language'
import { called, type Words } from './complete.ts'

const keywords = /^(by|without|on|ignoring|group_left|group_right|bool|offset|and|or|unless|atan2|start|end)$/i

const aggregations = ['sum', 'avg', 'min', 'max', 'count', 'topk', 'bottomk', 'quantile', 'stddev', 'stdvar', 'group', 'count_values', 'limitk']

const functions: Record<string, string> = {
  rate: 'growth per second of a counter', irate: 'the same, of the last two points', increase: 'growth of a counter over a range', delta: 'difference of a gauge over a range', idelta: 'of the last two points', deriv: 'slope of a gauge per second',
  histogram_quantile: 'quantile, buckets', histogram_avg: 'of native histograms', histogram_count: 'of native histograms', histogram_sum: 'of native histograms', histogram_fraction: 'lower, upper, histogram',
  avg_over_time: 'over a range', min_over_time: 'over a range', max_over_time: 'over a range', sum_over_time: 'over a range', count_over_time: 'over a range', quantile_over_time: 'quantile, range', stddev_over_time: 'over a range', last_over_time: 'over a range', present_over_time: '1 where there are points',
  absent: '1 if there is nothing', absent_over_time: '1 if there is nothing over a range', changes: 'how often it changed', resets: 'how often a counter began anew', predict_linear: 'range, seconds ahead', holt_winters: 'range, smoothing, trend',
  label_replace: 'v, target, replacement, source, regex', label_join: 'v, target, separator, sources', sort: 'by value', sort_desc: 'by value, down', scalar: 'a number of one series', vector: 'a series of a number', time: 'now in seconds', timestamp: 'of each point',
  abs: '', ceil: '', floor: '', round: 'v, to nearest', sqrt: '', exp: '', ln: '', log2: '', log10: '', sgn: '', clamp: 'v, min, max', clamp_min: 'v, min', clamp_max: 'v, max',
  hour: 'of the day, UTC', minute: 'of the hour', day_of_week: '0 is Sunday', day_of_month: '', day_of_year: '', days_in_month: '', month: '', year: '',
}

export const language = StreamLanguage.define<{ braces: number }>({
  name: 'promql',
  startState: () => ({ braces: 0 }),
  token(stream, state) {
    if (stream.eatSpace()) return null
    if (stream.match(/^#.*/)) return 'comment'
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'(?:[^'\\]|\\.)*'?/) || stream.match(/^`[^`]*`?/)) return 'string'
    if (stream.match(/^\$(?:\{[^}]*\}?|\w+)/)) return 'modifier'
    if (stream.match(/^(?:0x[\da-f]+|(?:\d+(?:ms|[smhdwy]))+|\d*\.?\d+(?:e[+-]?\d+)?)/i)) return 'number'
    const word = stream.match(/^[a-z_:][\w:]*/i) as RegExpMatchArray | null
    if (word) {
      if (state.braces > 0) return 'propertyName'
      if (keywords.test(word[0])) return 'keyword'
      return stream.match(/^\s*(\(|by\b|without\b)/i, false) && (Object.hasOwn(functions, word[0]) || aggregations.includes(word[0])) ? 'keyword' : /^(inf|nan)$/i.test(word[0]) ? 'number' : 'variableName'
    }
    const c = stream.next()
    if (c === '{') state.braces++
    if (c === '}') state.braces = Math.max(0, state.braces - 1)
    return c && '=!~<>+-*/%^@'.includes(c) ? 'operator' : null
  },
  languageData: { closeBrackets: { brackets: ['(', '[', '{', '"', "'", '`'] }, commentTokens: { line: '#' } },
})

const own: Completion[] = [
  ...aggregations.map((name) => ({ ...called(`${name}(`), detail: 'aggregation', type: 'keyword' })),
  ...Object.entries(functions).map(([name, detail]) => ({ ...called(`${name}(`), detail: detail || 'function', type: 'function' })),
  ...['by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'offset', 'and', 'or', 'unless', 'bool'].map((label) => ({ label, type: 'keyword' })),
]

export const words: Words = {
  word: /[\w:$]*$/,
  // There stand labels and durations, which the plugin knows.
  own: (before) => Promise.resolve(inList(before) ? [] : own),
}

/** Whether a text ends in braces, brackets or a list of labels. */
function inList(text: string): boolean {
  const open: boolean[] = []
  for (const [part] of text.matchAll(/"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`[^`]*`?|#.*|\b(?:by|without|on|ignoring|group_left|group_right)\s*\(|[{[(]|[}\])]/gi)) {
    if (part.endsWith('(') || part === '{' || part === '[') open.push(part !== '(')
    else if (part === '}' || part === ']' || part === ')') open.pop()
  }
  return open.at(-1) ?? false
}
