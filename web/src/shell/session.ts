// Whether the server is there, and knows who asks. A session that ends leaves
// the page as it is: signing in again goes on from there.
import { useSyncExternalStore } from 'react'
import { beginSession, getJSON, onReached, onSignedOut, request, sendJSON } from '../api/http.ts'
import { client, user } from '../api/queries.ts'
import type { User } from '../api/types.ts'

let state = { out: false, lost: false }
const listeners = new Set<() => void>()

function change(to: Partial<typeof state>) {
  state = { ...state, ...to }
  listeners.forEach((listener) => listener())
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export const useSession = () => useSyncExternalStore(subscribe, () => state)

onSignedOut(() => change({ out: true }))

// How often a server that does not answer is asked whether it is back.
const patience = 2_000

onReached((there) => {
  if (state.lost === !there) return
  change({ lost: !there })
  if (there) void client.invalidateQueries()
  else askAgain()
})

function askAgain() {
  setTimeout(() => {
    if (state.lost) request('/api/user').catch(() => askAgain())
  }, patience)
}

// The other windows of the same browser have the same session.
const windows = new BroadcastChannel('plugboard.session')
windows.onmessage = ({ data }) => (data === 'in' ? void goOn().catch(() => {}) : change({ out: true }))

export async function signIn(name: string, password: string) {
  await sendJSON('POST', '/login', { user: name, password })
  windows.postMessage('in')
  await goOn()
}

/** Goes on where the page was, unless somebody else is there now. */
async function goOn() {
  beginSession()
  const before = client.getQueryData(user().queryKey)
  const now = await getJSON<User>('/api/user')
  if (before && before.login !== now.login) return location.reload()
  change({ out: false })
  await client.invalidateQueries()
}

export async function signOut() {
  await request('/logout', { method: 'POST' })
  windows.postMessage('out')
  client.clear()
  change({ out: true })
}
