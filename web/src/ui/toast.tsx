// Short words about what was just done, which go away by themselves.
import { useSyncExternalStore } from 'react'

let toasts: { id: number; text: string; bad: boolean }[] = []
let next = 1
const listeners = new Set<() => void>()

function change(to: typeof toasts) {
  toasts = to
  listeners.forEach((listener) => listener())
}

/** Says something for a few seconds. */
export function toast(text: string, bad = false) {
  const id = next++
  change([...toasts, { id, text, bad }])
  setTimeout(() => change(toasts.filter((t) => t.id !== id)), bad ? 8_000 : 3_500)
}

/** Copies text, and says so. */
export async function copy(text: string, what: string) {
  try {
    await navigator.clipboard.writeText(text)
    toast(`${what} copied`)
  } catch {
    toast('The browser does not let this page copy', true)
  }
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts)
  return <div className="toasts" role="status">{shown.map((t) => <p key={t.id} className={t.bad ? 'bad' : ''}>{t.text}</p>)}</div>
}
