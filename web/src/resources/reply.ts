// What a resource answers, as it comes.

export interface Reply {
  status: number
  statusText: string
  headers: [string, string][]
  type: string
  size: number
  /** The body, once there is no more to come. */
  blob: Blob
  /** Its beginning, or its end as long as more comes; nothing of a picture. */
  text: string
  /** Whether there is more than was kept, or was waited for. */
  cut?: 'full' | 'cancelled' | 'broken'
  done: boolean
  took: number
}

// What is kept of a body, and what is shown of it as text.
const mostKept = 64 * 2 ** 20
export const mostShown = 256 * 1024

/** How often who watches is told how far it is. */
const tellEvery = 250

/** Reads an answer, telling how far it is. A body that is given up ends where it was. */
export async function readReply(response: Response, start: number, tell: (reply: Reply) => void): Promise<Reply> {
  const type = response.headers.get('Content-Type') ?? ''
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  let told = start
  const reply = (done: boolean, cut?: Reply['cut']): Reply => {
    const text = isPicture(type) ? '' : done ? beginning(chunks) : end(chunks)
    return {
      status: response.status, statusText: response.statusText, headers: [...response.headers], type,
      size, blob: new Blob(done ? chunks : [], { type }), text, cut, done, took: performance.now() - start,
    }
  }
  const reader = response.body?.getReader()
  try {
    for (;;) {
      const { value, done } = (await reader?.read()) ?? { done: true }
      if (done || !value) return reply(true)
      chunks.push(value)
      size += value.length
      if (size > mostKept) {
        await reader!.cancel()
        return reply(true, 'full')
      }
      if (performance.now() - told > tellEvery) {
        told = performance.now()
        tell(reply(false))
      }
    }
  } catch (error) {
    return reply(true, (error as Error).name === 'AbortError' ? 'cancelled' : 'broken')
  }
}

const isPicture = (type: string) => type.startsWith('image/') && !type.includes('svg')

function beginning(chunks: Uint8Array[]): string {
  const decoder = new TextDecoder()
  let text = ''
  for (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > mostShown) return text.slice(0, mostShown)
  }
  return text + decoder.decode()
}

const endLength = 4_000

function end(chunks: Uint8Array[]): string {
  let text = ''
  for (let i = chunks.length - 1; i >= 0 && text.length < endLength; i--) text = new TextDecoder().decode(chunks[i]) + text
  return text.slice(-endLength)
}

export type Kind = 'empty' | 'image' | 'html' | 'json' | 'text' | 'binary'

export function kindOf({ size, type, text, done, cut }: Reply): Kind {
  if (size === 0) return 'empty'
  const whole = done && !cut
  if (type.startsWith('image/') && whole) return 'image'
  if (type.startsWith('text/html') && whole && text.length < mostShown) return 'html'
  if (isPicture(type) || isBinary(text)) return 'binary'
  return whole && text.length < mostShown && isJSON(text) ? 'json' : 'text'
}

/** Whether it has what no text has. */
const isBinary = (text: string) => /[\u0000-\u0008\u000e-\u001a]/.test(text.slice(0, 2_000))

function isJSON(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The first bytes as people look at them who look at bytes. */
export function dump(bytes: Uint8Array): string {
  const lines = []
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)]
    const hex = row.map((b) => b.toString(16).padStart(2, '0')).join(' ')
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${row.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.')).join('')}`)
  }
  return lines.join('\n')
}
