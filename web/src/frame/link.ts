// Links that plugins put behind values. What they name is made of data: only
// addresses that do nothing but lead somewhere are followed.
import type { Field, Frame } from './frame.ts'
import { formatValue } from './format.ts'

export interface Anchor {
  title: string
  href: string
  /** Whether it leaves the page as it is. */
  blank: boolean
}

/** An address on the web, or on this server; undefined for scripts and all else. */
export function safe(url: string): string | undefined {
  const text = url.trim()
  if (/^\/(?![\/\\])/.test(text)) return text
  return URL.canParse(text) && /^(https?|mailto):$/.test(new URL(text).protocol) ? text : undefined
}

/** The links of a value, with its variables filled in. */
export function linksOf(frame: Frame, field: Field, row: number, range: [from: number, to: number]): Anchor[] {
  if (!field.config.links?.length || field.values[row] === null || field.values[row] === undefined) return []
  const fill = (text: string, encode: boolean) => text.replace(/\$\{([^}]+)\}|\$(__\w+)/g, (whole, braced: string | undefined, bare: string | undefined) => {
    const known = variable(braced ?? bare!, frame, field, row, range)
    return known === undefined ? whole : encode && known.encode ? encodeURIComponent(known.text) : known.text
  })
  return field.config.links.flatMap(({ title, url, targetBlank, internal }): Anchor[] => {
    const name = fill(title || 'Link', false)
    if (internal?.datasourceUid) return [{ title: name, href: exploring(internal.datasourceUid, internal.query, (text) => fill(text, false), range), blank: targetBlank === true }]
    // An address that is a value as a whole is not a part of one.
    const href = safe(fill(url ?? '', !/^\$\{[^}]+\}$/.test(url ?? '')))
    return href ? [{ title: name, href, blank: targetBlank === true || !href.startsWith('/') }] : []
  })
}

/** Explore, asking another data source. */
function exploring(uid: string, query: unknown, fill: (text: string) => string, [from, to]: [number, number]): string {
  const filled = (value: unknown): unknown => {
    if (typeof value === 'string') return fill(value)
    if (Array.isArray(value)) return value.map(filled)
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(inner)])) : value
  }
  const model = filled(query)
  const queries = [{ ...(typeof model === 'object' ? model : {}), refId: 'A', datasource: { uid } }]
  return `/explore?panes=${encodeURIComponent(JSON.stringify([{ range: { from: String(from), to: String(to) }, queries }]))}`
}

function variable(name: string, frame: Frame, field: Field, row: number, [from, to]: [number, number]): { text: string; encode: boolean } | undefined {
  const value = field.values[row]
  const plain = (text: unknown) => ({ text: typeof text === 'object' && text !== null ? JSON.stringify(text) : String(text ?? ''), encode: true })
  const base = name.replace(/:\w+$/, '')
  switch (base) {
    case '__value.raw': case '__value.numeric': return plain(value)
    case '__value.text': case '__value': return plain(formatValue(value, field))
    case '__value.time': return plain(frame.fields.find((f) => f.type === 'time')?.values[row])
    case '__field.name': return plain(field.name)
    case '__from': return plain(Math.round(from))
    case '__to': return plain(Math.round(to))
    case '__url_time_range': return { text: `from=${Math.round(from)}&to=${Math.round(to)}`, encode: false }
  }
  const [, label] = /^__field\.labels\.?\[?["']?(.+?)["']?\]?$/.exec(base) ?? []
  if (label) return plain(field.labels?.[label])
  const [, other] = /^__data\.fields\.?\[?["']?(.+?)["']?\]?$/.exec(base) ?? []
  if (other) return plain((frame.fields.find((f) => f.name === other || f.config.displayName === other) ?? frame.fields[Number(other)])?.values[row])
  return undefined
}
