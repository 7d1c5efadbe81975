// What Explore shows, all of which is in its URL.
import type { Range } from '../time/range.ts'

/** A query as the server takes it: beside these fields it has the plugin's own. */
export interface Query {
  refId: string
  datasource: { uid: string }
  hide?: boolean
  [field: string]: unknown
}

export type View = 'graph' | 'table' | 'logs' | 'trace' | 'raw'

/** Queries that share a time range, and what is seen of their answers. */
export interface Pane {
  range: Range
  queries: Query[]
  /** Without one, the answer decides. */
  view?: View
}

/** A pane that asks one data source, of the last hour. */
export const paneOf = (uid: string): Pane => ({ range: { from: 'now-1h', to: 'now' }, queries: [{ refId: 'A', datasource: { uid } }] })

/** Makes panes of what a URL says. What cannot be one is left out. */
export function readPanes(from: unknown): Pane[] {
  if (!Array.isArray(from)) return []
  return from.filter(isObject).map((pane) => ({
    range: isObject(pane.range) ? { from: String(pane.range.from ?? 'now-1h'), to: String(pane.range.to ?? 'now') } : { from: 'now-1h', to: 'now' },
    queries: Array.isArray(pane.queries) ? pane.queries.filter(isObject).map(readQuery) : [],
    ...(typeof pane.view === 'string' && { view: pane.view as View }),
  }))
}

function readQuery(query: Record<string, unknown>, at: number): Query {
  const { uid } = isObject(query.datasource) ? query.datasource : {}
  return { ...query, refId: String(query.refId ?? letter(at)), datasource: { uid: String(uid ?? '') } }
}

export const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The object that a text is in JSON, if it is one. */
export function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const read: unknown = JSON.parse(text)
    return isObject(read) ? read : undefined
  } catch {
    return undefined
  }
}

/** The first ref id that no query has. */
export function nextRefId(queries: Query[]): string {
  for (let i = 0; ; i++) if (!queries.some((q) => q.refId === letter(i))) return letter(i)
}

const letter = (i: number): string => (i < 26 ? '' : letter(Math.floor(i / 26) - 1)) + String.fromCharCode(65 + (i % 26))

/** A query's own fields, without those that the console writes. */
export function modelOf({ refId: _, datasource: __, hide: ___, ...model }: Query): Record<string, unknown> {
  return model
}
