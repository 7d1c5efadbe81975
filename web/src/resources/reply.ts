// What a resource answers.

export interface Reply {
  status: number
  statusText: string
  headers: [string, string][]
  blob: Blob
  /** The body, if it is text. */
  text: string
  took: number
}

export async function readReply(response: Response, start: number): Promise<Reply> {
  const blob = await response.blob()
  return {
    status: response.status, statusText: response.statusText, headers: [...response.headers], blob,
    text: /^image\//.test(blob.type) && !blob.type.includes('svg') ? '' : await blob.text(), took: performance.now() - start,
  }
}

export function bodyKind({ blob, text }: Reply): 'empty' | 'image' | 'html' | 'json' | 'text' {
  if (blob.size === 0) return 'empty'
  if (blob.type.startsWith('image/')) return 'image'
  if (blob.type.startsWith('text/html')) return 'html'
  try {
    JSON.parse(text)
    return 'json'
  } catch {
    return 'text'
  }
}
