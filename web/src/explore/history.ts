// The panes that were run last, kept in the browser.
import { isObject, modelOf, readPanes, type Pane } from './state.ts'

const key = 'plugboard.history'
// How many are kept of those without a star, and of those with one.
const most = 100

export interface Entry {
  at: number
  pane: Pane
  starred: boolean
}

export function readHistory(): Entry[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(kept) ? kept.filter(isObject).flatMap((e) => readPanes([e.pane]).map((pane) => ({ at: Number(e.at), pane, starred: e.starred === true }))) : []
  } catch {
    return []
  }
}

/** Remembers a pane as the latest, and not twice. */
export function remember(pane: Pane) {
  if (!pane.queries.some((q) => Object.keys(modelOf(q)).length)) return
  const same = JSON.stringify(pane.queries)
  const all = readHistory()
  const starred = all.some((e) => e.starred && JSON.stringify(e.pane.queries) === same)
  keep([{ at: Date.now(), pane, starred }, ...all.filter((e) => JSON.stringify(e.pane.queries) !== same)])
}

/** Keeps what there is room for: what has a star goes last. */
export function keep(entries: Entry[]): Entry[] {
  const kept = [true, false].flatMap((starred) => entries.filter((e) => e.starred === starred).slice(0, most)).sort((a, b) => b.at - a.at)
  try {
    localStorage.setItem(key, JSON.stringify(kept))
  } catch {
    // There is no room: what was is kept.
  }
  return kept
}
