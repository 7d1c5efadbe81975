// Streams: frames that go on, over server-sent events.
import { useEffect, useRef, useState } from 'react'
import { listen } from '../api/events.ts'
import { readColumns, readFrame, type Frame, type FrameJSON } from '../frame/frame.ts'

export type Connection = 'connecting' | 'open' | 'lost' | 'ended'

/** The rows of a stream that came last, as many as there is room for. */
export class Window {
  readonly limit: number
  frame?: Frame
  packets = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** Takes a packet: rows, perhaps with the schema that they and the next have. */
  add(packet: FrameJSON) {
    this.packets++
    const came = packet.schema && readFrame(packet)
    if (came && !sameFields(came, this.frame)) this.frame = came
    else if (this.frame) this.frame = appended(this.frame, came ? came.fields.map((f) => f.values) : readColumns(packet.data), this.limit)
  }
}

const sameFields = (a: Frame, b?: Frame) =>
  b !== undefined && a.fields.length === b.fields.length && a.fields.every((field, i) => field.name === b.fields[i].name && field.type === b.fields[i].type)

/** A new frame: who draws the old one sees that it changed. */
function appended(frame: Frame, columns: unknown[][], limit: number): Frame {
  const fields = frame.fields.map((field, i) => {
    const values = field.values.concat(columns[i] ?? [])
    return { ...field, values: values.length > limit ? values.slice(-limit) : values }
  })
  return { ...frame, fields, length: fields[0]?.values.length ?? 0 }
}

/**
 * The last rows of a channel. It is listened to as long as there is a name and
 * it is not paused; a lost connection is made again, unless the server refuses
 * it, which is the error.
 */
export function useStream(channel: string | undefined, paused = false, limit = 1_000) {
  const [, redraw] = useState(0)
  const [connection, setConnection] = useState<Connection>('connecting')
  const [error, setError] = useState<Error>()
  const rows = useRef<Window>(undefined)
  const of = useRef<string>(undefined)
  if (of.current !== channel) {
    of.current = channel
    rows.current = new Window(limit)
  }
  useEffect(() => {
    if (!channel || paused) return
    const into = rows.current!
    let due = 0
    setConnection('connecting')
    const close = listen(`/api/live/sse?channel=${encodeURIComponent(channel)}`, {
      open: () => (setConnection('open'), setError(undefined)),
      lost: () => setConnection('lost'),
      refused: (error) => (setConnection('ended'), setError(error)),
      packet: (text) => {
        into.add(JSON.parse(text))
        due ||= requestAnimationFrame(() => (due = 0, redraw((n) => n + 1)))
      },
    })
    return () => {
      cancelAnimationFrame(due)
      close()
    }
  }, [channel, paused])
  return { frame: rows.current?.frame, packets: rows.current?.packets ?? 0, connection, error }
}
