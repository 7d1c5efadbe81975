// Server-sent events, listened to for as long as the server has them.
import { ApiError, request } from './http.ts'

interface Listener {
  open: () => void
  /** The connection is lost, and being made again. */
  lost: (why?: string) => void
  /** The server does not want to be asked again. */
  refused: (error: Error) => void
  /** The stream is over, by itself. */
  ended?: () => void
  packet: (text: string) => void
}

// How long after a failure the server is asked again.
const patience = 3_000

/** Listens until the function that it returns is called. */
export function listen(url: string, to: Listener): () => void {
  const ended = new AbortController()
  let events: EventSource
  let timer = 0
  const again = () => void (timer = window.setTimeout(start, patience))
  const start = () => {
    events = new EventSource(url)
    events.onopen = to.open
    events.onmessage = (event) => to.packet(event.data)
    events.addEventListener('end', (event) => {
      const { error } = JSON.parse((event as MessageEvent<string>).data) as { error?: string }
      if (error || !to.ended) return to.lost(error)
      events.close()
      to.ended()
    })
    events.onerror = () => {
      to.lost()
      // A browser comes back by itself after a break, but not after an answer
      // that is no stream, nor does it say what that was: asking once more does.
      if (events.readyState === EventSource.CLOSED) void reasonOf(url, ended.signal).then((error) => (error ? to.refused(error) : again()), () => {})
    }
  }
  start()
  return () => {
    ended.abort()
    clearTimeout(timer)
    events.close()
  }
}

/** Why the server refuses for good, if it does: a session that has ended can be begun again. */
async function reasonOf(url: string, ended: AbortSignal): Promise<Error | undefined> {
  try {
    const response = await request(url, { signal: ended })
    await response.body?.cancel()
  } catch (error) {
    ended.throwIfAborted()
    if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 401) return error
  }
  return undefined
}
