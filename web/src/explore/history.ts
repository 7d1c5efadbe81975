// The panes that were run last, kept in the browser.
import { isObject, modelOf, readPanes, type Pane } from './state.ts'

const key = 'plugboard.history'
const most = 60

export interface Entry {
  at: number
  pane: Pane
}

export function readHistory(): Entry[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(kept) ? kept.filter(isObject).flatMap((e) => readPanes([e.pane]).map((pane) => ({ at: Number(e.at), pane }))) : []
  } catch {
    return []
  }
}

/** Remembers a pane as the latest, and not twice. */
export function remember(pane: Pane) {
  if (!pane.queries.some((q) => Object.keys(modelOf(q)).length)) return
  const same = JSON.stringify(pane.queries)
  const older = readHistory().filter((e) => JSON.stringify(e.pane.queries) !== same)
  try {
    localStorage.setItem(key, JSON.stringify([{ at: Date.now(), pane }, ...older].slice(0, most)))
  } catch {
    // There is no room: what was is kept.
  }
}

export const forgetHistory = () => localStorage.removeItem(key)
