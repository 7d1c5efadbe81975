// Streams: frames that go on, over server-sent events.
import { useEffect, useRef, useState } from 'react'
import { listen } from '../api/events.ts'
import { readColumns, readFrame, titleOf, type Frame, type FrameJSON } from '../frame/frame.ts'

export type Connection = 'connecting' | 'open' | 'lost' | 'over' | 'ended'

/** The rows of a stream that came last, as many as there is room for. */
export class Window {
  readonly limit: number
  frame?: Frame
  packets = 0
  /** The last packets as they came, for who wants to see those. */
  tail: string[] = []

  constructor(limit: number) {
    this.limit = limit
  }

  /** Takes a packet: rows, perhaps with the schema that they and the next have. */
  add(text: string) {
    this.packets++
    this.tail = [...this.tail.slice(1 - tailLength), text]
    const packet: FrameJSON = JSON.parse(text)
    if (!packet?.data) return // something that is no frame
    const came = packet.schema && readFrame(packet)
    if (came && this.frame && !sameFields(came, this.frame)) this.frame = widened(this.frame, came)
    if (!this.frame) this.frame = came
    else this.frame = appended(this.frame, came ? came.fields.map((f) => f.values) : readColumns(packet.data), this.limit)
  }
}

const tailLength = 50

const sameFields = (a: Frame, b?: Frame) =>
  b !== undefined && a.fields.length === b.fields.length && a.fields.every((field, i) => field.name === b.fields[i].name && field.type === b.fields[i].type)

/** The rows so far with fields that there are now: what had those names stays, and the others have been empty. */
function widened(frame: Frame, now: Frame): Frame {
  const fields = now.fields.map((field) => {
    const was = frame.fields.find((f) => f.type === field.type && titleOf(f) === titleOf(field))
    return { ...field, values: was?.values ?? new Array<unknown>(frame.length).fill(null) }
  })
  return { ...now, fields, length: frame.length }
}

/** A new frame: who draws the old one sees that it changed. */
function appended(frame: Frame, columns: unknown[][], limit: number): Frame {
  const fields = frame.fields.map((field, i) => {
    const values = field.values.concat(columns[i] ?? [])
    return { ...field, values: values.length > limit ? values.slice(-limit) : values }
  })
  return { ...frame, fields, length: fields[0]?.values.length ?? 0 }
}

// A stream may have a thousand packets a second; eyes have ten.
const redrawEvery = 100

/**
 * The last rows of a channel. It is listened to as long as there is a name and
 * it is not paused; a lost connection is made again, unless the server refuses
 * it, which is the error.
 */
export function useStream(channel: string | undefined, paused = false, limit = 1_000) {
  const [, redraw] = useState(0)
  const [connection, setConnection] = useState<Connection>('connecting')
  const [error, setError] = useState<Error>()
  const [again, setAgain] = useState(0)
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
      lost: (why) => (setConnection('lost'), why && setError(new Error(why))),
      ended: () => setConnection('over'),
      refused: (error) => (setConnection('ended'), setError(error)),
      packet: (text) => {
        into.add(text)
        due ||= window.setTimeout(() => (due = 0, redraw((n) => n + 1)), redrawEvery)
      },
    })
    return () => {
      clearTimeout(due)
      close()
    }
  }, [channel, paused, again])
  const shown = rows.current
  return { frame: shown?.frame, packets: shown?.packets ?? 0, tail: shown?.tail ?? [], connection, error, again: () => setAgain((n) => n + 1) }
}
