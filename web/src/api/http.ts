// Requests to the server's HTTP API, and its errors.

/** A request that the server refused or could not do. */
export class ApiError extends Error {
  readonly status: number
  /** Whose fault it was, "plugin" or "downstream"; empty if the server does not say. */
  readonly source: string

  constructor(message: string, status: number, source = '') {
    super(message)
    this.status = status
    this.source = source
  }
}

let signedOut: () => void = () => {}
let session = 0

/** Says that another session has begun: what is under way may still be of the last one. */
export function beginSession() {
  session++
}

/** Says what is done when the server no longer knows who asks. */
export function onSignedOut(then: () => void) {
  signedOut = then
}

let reached: (there: boolean) => void = () => {}

/** Says what is done when the server has answered, or has not. */
export function onReached(then: (there: boolean) => void) {
  reached = then
}

/**
 * Makes a request. The promise is rejected with an ApiError if the server is
 * not there or answers with an error, unless its status is among those allowed.
 */
export async function request(path: string, init: RequestInit = {}, ...allowed: number[]): Promise<Response> {
  const of = session
  let response: Response
  try {
    response = await fetch(path, init)
  } catch (error) {
    if (init.signal?.aborted) throw error
    reached(false)
    throw new ApiError('The server does not answer. It is tried again when you ask.', 0)
  }
  reached(true)
  if (response.ok || allowed.includes(response.status)) return response
  const error = errorOf(await response.text(), response)
  if (response.status === 401 && path !== '/login' && of === session) signedOut()
  throw error
}

function errorOf(text: string, response: { status: number; statusText: string }): ApiError {
  try {
    const { message, errorSource } = JSON.parse(text)
    return new ApiError(message || response.statusText, response.status, errorSource)
  } catch {
    return new ApiError(text.slice(0, 500) || response.statusText || `status ${response.status}`, response.status)
  }
}

export async function getJSON<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await request(path, { signal })).json()
}

export async function sendJSON<T>(method: string, path: string, body?: unknown, ...allowed: number[]): Promise<T> {
  const init: RequestInit = { method }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { 'Content-Type': 'application/json' }
  }
  return (await request(path, init, ...allowed)).json()
}

/** Sends a file, and says how much of it is sent: fetch does not tell that. */
export function sendFile<T>(path: string, file: File, onSent: (share: number) => void): Promise<T> {
  return new Promise((done, failed) => {
    const sent = new XMLHttpRequest()
    sent.upload.onprogress = (event) => event.lengthComputable && onSent(event.loaded / event.total)
    sent.onerror = () => failed(new ApiError('The connection to the server broke off.', 0))
    sent.onload = () => {
      if (sent.status === 401) signedOut()
      if (sent.status >= 200 && sent.status < 300) done(JSON.parse(sent.responseText))
      else failed(errorOf(sent.responseText, sent))
    }
    sent.open('POST', path)
    sent.setRequestHeader('Content-Type', file.type || 'application/zip')
    sent.send(file)
  })
}
