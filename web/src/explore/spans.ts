// Spans, as the frames of tracing plugins have them, and the tree that they are.
import type { Frame } from '../frame/frame.ts'
import { isObject } from './state.ts'

export interface KeyValue {
  key: string
  value: unknown
}

export interface Span {
  /** Tells it from all others, of other traces too. */
  key: string
  trace: string
  id: string
  parent: string
  name: string
  service: string
  /** Unix milliseconds. */
  start: number
  /** Milliseconds. */
  took: number
  failed: boolean
  /** What there is in columns that not every plugin has. */
  about: KeyValue[]
  tags: KeyValue[]
  serviceTags: KeyValue[]
  logs: { at: number; name: string; fields: KeyValue[] }[]
  depth: number
  /** How many spans have it as their parent, and how many are anywhere below it. */
  children: number
  below: number
}

const known = ['traceID', 'spanID', 'parentSpanID', 'operationName', 'serviceName', 'startTime', 'duration', 'tags', 'serviceTags', 'logs', 'statusCode']

export function spansOf(frame: Frame): Span[] {
  const column = (name: string) => frame.fields.find((f) => f.name === name)?.values ?? []
  const [traces, ids, parents, names, services, starts, lengths, tags, serviceTags, logs, status] = known.map(column)
  const others = frame.fields.filter((f) => !known.includes(f.name))
  return Array.from({ length: frame.length }, (_, i): Span => {
    const own = pairs(tags[i])
    const [trace, id] = [String(traces[i] ?? ''), String(ids[i] ?? i)]
    return {
      key: `${trace} ${id}`, trace, id, parent: String(parents[i] ?? ''), name: String(names[i] ?? ''), service: String(services[i] ?? ''),
      start: Number(starts[i] ?? 0), took: Number(lengths[i] ?? 0), depth: 0, children: 0, below: 0,
      failed: Number(status[i]) === 2 || own.some(({ key, value }) => key === 'error' && value !== false && value !== 'false' && value !== ''),
      about: others.flatMap((f) => (isEmpty(f.values[i]) ? [] : [{ key: f.name, value: f.values[i] }])),
      tags: own, serviceTags: pairs(serviceTags[i]), logs: logsIn(logs[i]),
    }
  })
}

const isEmpty = (value: unknown) => value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)

/** Tags are a list of keys and values or, with some plugins, an object. */
function pairs(from: unknown): KeyValue[] {
  if (Array.isArray(from)) return from.filter(isObject).map(({ key, value }) => ({ key: String(key), value }))
  return isObject(from) ? Object.entries(from).map(([key, value]) => ({ key, value })) : []
}

function logsIn(from: unknown): Span['logs'] {
  return Array.isArray(from) ? from.filter(isObject).map((log) => ({ at: Number(log.timestamp ?? 0), name: String(log.name ?? ''), fields: pairs(log.fields) })) : []
}

/** Spans below their parents, by when they began. Those of unknown parents are roots. */
export function inTree(spans: Span[]): Span[] {
  const all = new Set(spans.map((s) => s.key))
  const parentOf = (s: Span) => (s.parent !== s.id && all.has(`${s.trace} ${s.parent}`) ? `${s.trace} ${s.parent}` : '')
  const below = Map.groupBy(spans.toSorted((a, b) => b.start - a.start), parentOf)
  const tree: Span[] = []
  const path: number[] = []
  const waiting = (below.get('') ?? []).map((span) => ({ span, depth: 0 }))
  const take = (to: number) => {
    while (path.length > to) {
      const i = path.pop()!
      tree[i].below = tree.length - i - 1
    }
  }
  while (waiting.length) {
    const { span, depth } = waiting.pop()!
    take(depth)
    const children = below.get(span.key) ?? []
    below.delete(span.key) // of two spans with one id, one has them
    path.push(tree.length)
    tree.push({ ...span, depth, children: children.length })
    for (const child of children) waiting.push({ span: child, depth: depth + 1 })
  }
  take(0)
  // Spans that are each other's parents are below nothing.
  for (const span of [...below.values()].flat()) if (!below.get('')?.includes(span)) tree.push(span)
  return tree
}
