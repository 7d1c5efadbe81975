// Times as people read them, in the zone that they chose.
import { useSyncExternalStore } from 'react'

const key = 'plugboard.zone'

export type Zone = 'local' | 'utc'

let zone: Zone = localStorage.getItem(key) === 'utc' ? 'utc' : 'local'
const listeners = new Set<() => void>()

/** Chooses the zone that all times are shown in, and read in where they name none. */
export function setZone(to: Zone) {
  zone = to
  try {
    localStorage.setItem(key, to)
  } catch {
    // There is no room: it holds until the page is left.
  }
  listeners.forEach((listener) => listener())
}

export const currentZone = () => zone

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** The zone: who shows times is drawn anew when it changes. */
export const useZone = () => useSyncExternalStore(subscribe, currentZone)

export const two = (n: number) => String(n).padStart(2, '0')

/** A time as 2026-11-22 15:04:05. */
export function formatTime(ms: number): string {
  const t = new Date(zone === 'utc' ? ms : ms - new Date(ms).getTimezoneOffset() * 6e4)
  if (Number.isNaN(t.getTime())) return String(ms)
  const text = t.toISOString().replace('T', ' ').replace('Z', '')
  return text.endsWith('.000') ? text.slice(0, -4) : text
}

const steps = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']] as const

/** How long ago something was, as "3 min ago". */
export function formatAgo(time: string | number, now = Date.now()): string {
  const past = (now - new Date(time).getTime()) / 1000
  if (past < 2) return past < -2 ? `in ${plain(-past)}` : 'just now'
  return `${plain(past)} ago`
}

function plain(seconds: number): string {
  const [size, name] = steps.find(([size]) => seconds >= (size === 1 ? 0 : 2 * size))!
  return `${Math.round(seconds / size).toLocaleString('en-US')} ${name}`
}
