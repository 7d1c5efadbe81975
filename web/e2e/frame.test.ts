// What is shown of values, without a browser: units, mappings, links, spans, times.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Field, FieldConfig, Frame } from '../src/frame/frame.ts'

// The modules keep a choice where browsers do.
Object.assign(globalThis, { localStorage: { getItem: () => 'utc', setItem() {} } })
// Browsers have it; Node 20 has not.
Map.groupBy ??= <K, V>(values: Iterable<V>, of: (value: V, at: number) => K) => {
  const groups = new Map<K, V[]>()
  let at = 0
  for (const value of values) {
    const key = of(value, at++)
    groups.set(key, [...(groups.get(key) ?? []), value])
  }
  return groups
}
const { formatNumber, formatValue, colorName } = await import('../src/frame/format.ts')
const { linksOf, safe } = await import('../src/frame/link.ts')
const { longOf } = await import('../src/frame/long.ts')
const { isGraph, seriesOf } = await import('../src/frame/series.ts')
const { inTree, spansOf } = await import('../src/explore/spans.ts')
const { faultOf, readTime, resolve, settled } = await import('../src/time/range.ts')

test('numbers are read with Grafana\'s units', () => {
  const cases: [number, string, string, number?][] = [
    [1234567, '', '1,234,567'], [0.1, '', '0.1'], [1234567, 'short', '1.23 Mil'], [950, 'short', '950'], [0.5, 'short', '0.5'], [-1500, 'short', '-1.5 K'], [1234.5, 'none', '1,234.5'],
    [1536, 'bytes', '1.5 KiB'], [1, 'bytes', '1 B'], [1500, 'decbytes', '1.5 kB'], [2048, 'kbytes', '2 MiB'], [1024 ** 3, 'bytes', '1 GiB'], [8e6, 'bps', '8 Mb/s'], [1e6, 'Bps', '1 MB/s'], [1048576, 'binBps', '1 MiB/s'], [3, 'mbytes', '3 MiB'],
    [42.25, 'percent', '42.25%'], [42.25, 'percent', '42.3%', 1], [0.4225, 'percentunit', '42.25%'], [1, 'percentunit', '100%'],
    [1500, 'ms', '1.5 s'], [0.25, 's', '250 ms'], [90061, 's', '25.02 h'], [3, 'm', '3 min'], [0.002, 'ms', '2 µs'], [5, 'ns', '5 ns'], [250, 'µs', '250 µs'],
    [3725, 'dthms', '01:02:05'], [90061, 'dtdhms', '1 d 01:01:01'], [90061, 'dtdurations', '1 day, 1 hour'], [3661000, 'clockms', '01:01:01'], [200, 'timeticks', '2 s'],
    [1577934245000, 'dateTimeAsIso', '2020-01-02 03:04:05'], [1577934245000, 'dateTimeAsUS', '01/02/2020 03:04:05'], [1577934245000, 'time:YYYY-MM', '2020-01'],
    [3, 'currencyUSD', '$3.00'], [1234567, 'currencyEUR', '€1.23M'], [5, 'currency:XYZ', 'XYZ5.00'],
    [12, 'ops', '12 ops/s'], [12345, 'reqps', '12.3K req/s'], [60, 'rpm', '60 rd/m'], [5, 'iops', '5 io/s'], [2e6, 'hertz', '2 MHz'],
    [21.5, 'celsius', '21.5 °C'], [50, 'humidity', '50 %H'], [1013.25, 'pressurehpa', '1,013.3 hPa'], [0.003, 'volt', '3 mV'], [1500, 'watt', '1.5 kW'], [2, 'kwatth', '2 kWh'], [7, 'velocitykmh', '7 km/h'], [3, 'lengthm', '3 m'], [1, 'bool', 'True'], [0, 'bool_yes_no', 'No'],
    [255, 'hex0x', '0xFF'], [5, 'suffix: apples', '5 apples'], [5, 'prefix:#', '#5'], [1500, 'si:g', '1.5 kg'], [5, 'frobs', '5 frobs'], [5, 'constructor', '5 constructor'], [5, 'toString', '5 toString'],
    [NaN, 'bytes', 'NaN'], [Infinity, '', '∞'], [0, 'bytes', '0 B'], [0, 's', '0 s'], [2, 'percent', '2.00%', 2],
  ]
  for (const [value, unit, want, decimals] of cases) assert.equal(formatNumber(value, unit, decimals), want, `${value} of ${unit}`)
})

const field = (config: FieldConfig, values: unknown[], more: Partial<Field> = {}): Field => ({ name: 'f', type: 'number', config, values, ...more })

test('mappings, thresholds, enums and what is missing', () => {
  const f = field({
    noValue: 'none', unit: 'percent',
    mappings: [{ type: 'value', options: { 1: { text: 'one', color: 'red' } } }, { type: 'range', options: { from: 10, to: null, result: { text: 'many' } } }, { type: 'special', options: { match: 'nan', result: { text: 'not one' } } }],
    thresholds: { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 5, color: 'yellow' }] },
  }, [])
  assert.deepEqual([1, 11, NaN, null, 3, 6].map((v) => [formatValue(v, f), colorName(v, f)]),
    [['one', 'red'], ['many', 'yellow'], ['not one', 'green'], ['none', undefined], ['3%', 'green'], ['6%', 'yellow']])
  const states = field({ type: { enum: { text: ['on', 'off'], color: ['green', 'red'] } } }, [], { type: 'enum' })
  assert.deepEqual([0, 1, 7].map((v) => [formatValue(v, states), colorName(v, states)]), [['on', 'green'], ['off', 'red'], ['7', undefined]])
  const level = field({ mappings: [{ type: 'regex', options: { pattern: '/^err/', result: { text: 'bad' } } }, { type: 'regex', options: { pattern: '(', result: { text: 'never' } } }] }, [], { type: 'string' })
  assert.deepEqual(['error', '(', 'ok'].map((v) => formatValue(v, level)), ['bad', '(', 'ok'])
})

test('links lead somewhere, and nowhere else', () => {
  for (const url of ['javascript:alert(1)', ' JavaScript:alert(1)', 'data:text/html,x', 'vbscript:x', '//evil.example', '/\\evil.example', 'nothing', 'blob:x']) assert.equal(safe(url), undefined, url)
  for (const url of ['https://a.example/x', 'http://a.example', 'mailto:a@b.example', '/explore', '/']) assert.equal(safe(url), url)
  const link = (url: string, value: unknown = 'a&b') => {
    const host = field({ links: [{ title: 'To ${__value.text}', url }] }, [value], { type: 'string', name: 'host', labels: { job: 'x/y' } })
    const frame: Frame = { name: '', refId: 'A', meta: {}, fields: [host, field({}, [7], { name: 'n' })], length: 1 }
    return linksOf(frame, host, 0, [1, 2])[0]
  }
  assert.deepEqual(link('https://e.example/?h=${__value.raw}&n=${__data.fields.n}&j=${__field.labels.job}&${__url_time_range}&x=${nope}'), {
    title: 'To a&b', href: 'https://e.example/?h=a%26b&n=7&j=x%2Fy&from=1&to=2&x=${nope}', blank: true,
  })
  assert.equal(link('${__value.raw}', 'javascript:alert(1)'), undefined)
  assert.equal(link('${__value.raw}', 'https://ok.example/a b')?.href, 'https://ok.example/a b')
  assert.equal(link('https://e.example', null), undefined)
})

test('many frames become one table with labels as columns', () => {
  const series = (job: string, ...values: number[]): Frame => ({ name: '', refId: 'A', meta: {}, length: values.length, fields: [field({}, values.map((_, i) => i), { name: 'Time', type: 'time' }), field({ displayNameFromDS: job }, values, { name: 'Value', labels: { job } })] })
  const [table] = longOf([series('a', 1, 2), series('b', 3)])
  assert.deepEqual(table.fields.map((f) => [f.name, f.values]), [['Time', [0, 1, 0]], ['job', ['a', 'a', 'b']], ['Value', [1, 2, 3]]])
  assert.deepEqual(longOf([series('a', 1)]), [])
})

test('lines of one name are told apart, and gaps are as wide as they are', () => {
  const frame = (refId: string, config: FieldConfig = {}): Frame => ({ name: '', refId, meta: {}, length: 5, fields: [field({}, [0, 10, 20, 30, 40], { name: 'time', type: 'time' }), field(config, [1, null, null, 4, 5], { name: 'v' })] })
  assert.deepEqual(seriesOf([frame('A'), frame('B'), frame('B')]).map((s) => s.title), ['v · A', 'v · B', 'v · B (2)'])
  const shape = (config: FieldConfig) => seriesOf([frame('A', config)])[0]
  assert.deepEqual(shape({ custom: { spanNulls: 30 } }).values, [1, 4, 5])
  assert.deepEqual(shape({ custom: { spanNulls: 29 } }).values, [1, null, null, 4, 5])
  assert.equal(shape({ custom: { spanNulls: true } }).spanGaps, true)
})

test('one value of each series is a table, more are a graph', () => {
  const of = (length: number, meta: Frame['meta'] = {}): Frame => ({ name: '', refId: 'A', meta, length, fields: [field({}, [], { type: 'time' }), field({}, [])] })
  assert.deepEqual([of(1), of(2), of(1, { channel: 'ds/a/b' }), of(2, { type: 'numeric-multi' })].map((f) => isGraph([f])), [false, true, true, false])
})

test('spans are a tree, whatever they say of their parents', () => {
  const spans = [['r', ''], ['a', 'r'], ['b', 'a'], ['lost', 'gone'], ['x', 'y'], ['y', 'x'], ['self', 'self']]
  const column = (name: string, values: unknown[]): Field => ({ name, type: 'string', config: {}, values })
  const frame: Frame = {
    name: '', refId: 'A', meta: {}, length: spans.length,
    fields: [column('spanID', spans.map((s) => s[0])), column('parentSpanID', spans.map((s) => s[1])), column('startTime', spans.map((_, i) => i)), column('tags', [{ error: true }, [{ key: 'error', value: false }]])],
  }
  const tree = inTree(spansOf(frame))
  assert.deepEqual(tree.slice(0, 5).map((s) => [s.id, s.depth, s.below, s.failed]), [['r', 0, 2, true], ['a', 1, 1, false], ['b', 2, 0, false], ['lost', 0, 0, false], ['self', 0, 0, false]])
  assert.deepEqual(tree.slice(5).map((s) => s.id).sort(), ['x', 'y'])
  const deep: Frame = { ...frame, length: 50_000, fields: [column('spanID', Array.from({ length: 50_000 }, (_, i) => `${i}`)), column('parentSpanID', Array.from({ length: 50_000 }, (_, i) => (i ? `${i - 1}` : '')))] }
  assert.equal(inTree(spansOf(deep))[0].below, 49_999)
})

test('resources are of the plugin, whatever its schema says', async () => {
  // Modules of the page, as far as this needs one.
  Object.assign(globalThis, { matchMedia: () => ({ addEventListener() {} }), addEventListener() {}, location: { origin: 'http://here' } })
  const { pathOf, resource } = await import('../src/form/options.ts')
  assert.equal(resource('a b', pathOf('words?of={table}&x={none}', { table: 'a&b/../c' })), 'http://here/api/datasources/uid/a%20b/resources/words?of=a%26b%2F..%2Fc&x=')
  for (const path of ['../../../admin', '/api/user', '//evil.example/x', 'https://evil.example', pathOf('{table}/{table}/{table}', { table: '..' })]) assert.throws(() => resource('a', path), /no resource/, path)
})

test('times are read as people write them', () => {
  const now = Date.parse('2026-03-15T10:20:30Z')
  const read = (text: string, end = false) => new Date(readTime(text, end, now)).toISOString()
  assert.equal(read('now-6h/h'), '2026-03-15T04:00:00.000Z')
  assert.equal(read('now/h', true), '2026-03-15T10:59:59.999Z')
  assert.equal(read('now-1M/M'), '2026-02-01T00:00:00.000Z')
  assert.equal(read('now-1M/M', true), '2026-02-28T23:59:59.999Z')
  assert.equal(read('now/w'), '2026-03-09T00:00:00.000Z')
  assert.equal(read('now/y', true), '2026-12-31T23:59:59.999Z')
  assert.equal(read('2026-01-31'), '2026-01-31T00:00:00.000Z')
  assert.equal(read('2026-01-31 08:00'), '2026-01-31T08:00:00.000Z')
  assert.equal(read('2026-01-31T08:00:00+02:00'), '2026-01-31T06:00:00.000Z')
  assert.deepEqual(settled({ from: '2026-01-31 08:00', to: 'now' }), { from: '1769846400000', to: 'now' })
  assert.match(faultOf({ from: 'yesterday', to: 'now' }), /no time/)
  assert.match(faultOf({ from: 'now', to: 'now-1h' }), /before it begins/)
  assert.deepEqual(resolve({ from: '1769846400000', to: '1769846400001' }), [1769846400000, 1769846400001])
})
