// Asking the queries of a pane, and how that goes.
import { useCallback, useEffect, useRef, useState } from 'react'
import { request } from '../api/http.ts'
import { readFrame, type Frame, type FrameJSON } from '../frame/frame.ts'
import { forServer, resolve } from '../time/range.ts'
import { modelOf, type Pane } from './state.ts'

/** The answer to one query. */
export interface Result {
  refId: string
  status: number
  error?: string
  errorSource?: string
  frames: Frame[]
}

export interface Answer {
  results: Result[]
  /** What was sent, and what came: for who looks into it. */
  request: string
  response: string
  status: number
  took: number
  bytes: number
  rows: number
  /** The time range that was asked for, in Unix milliseconds. */
  span: [from: number, to: number]
}

export type Run =
  | { phase: 'idle' | 'cancelled'; answer?: Answer }
  | { phase: 'running'; since: number; answer?: Answer }
  | { phase: 'done'; answer: Answer }
  | { phase: 'failed'; error: Error; answer?: Answer }

/** The body that asks the queries of a pane that are not hidden. */
export function bodyOf(pane: Pane, points: number) {
  const queries = pane.queries.filter((q) => !q.hide && q.datasource.uid).map(({ hide: _, ...query }) => ({ maxDataPoints: points, ...query }))
  return { ...forServer(pane.range), queries }
}

interface AnswerJSON {
  results?: Record<string, { status?: number; error?: string; errorSource?: string; frames?: FrameJSON[] }>
  message?: string
}

async function ask(pane: Pane, points: number, signal: AbortSignal): Promise<Answer> {
  const sent = JSON.stringify(bodyOf(pane, points))
  const span = resolve(pane.range)
  const start = performance.now()
  const response = await request('/api/ds/query', { method: 'POST', body: sent, headers: { 'Content-Type': 'application/json' }, signal }, 400, 500, 502, 503)
  const text = await response.text()
  const took = performance.now() - start
  const json: AnswerJSON = JSON.parse(text)
  if (!json.results) throw new Error(json.message ?? `The server answers ${response.status}`)
  const results = Object.entries(json.results).map(([refId, { frames = [], status = response.status, ...rest }]) => ({ refId, status, ...rest, frames: frames.map(readFrame) }))
  const rows = results.flatMap((r) => r.frames).reduce((sum, frame) => sum + frame.length, 0)
  return { results, request: sent, response: text, status: response.status, took, bytes: new Blob([text]).size, rows, span }
}

/**
 * The state of a pane's queries, which are asked when they or the range change,
 * and by start. Queries of which nothing is written are not asked unless the
 * change is wanted to be.
 */
export function useAnswer(pane: Pane, points: number) {
  const [run, setRun] = useState<Run>({ phase: 'idle' })
  const running = useRef<AbortController>(undefined)
  const asked = useRef(pane)
  asked.current = pane
  const wanted = useRef(false)

  const start = useCallback(async () => {
    running.current?.abort()
    if (bodyOf(asked.current, points).queries.length === 0) return setRun({ phase: 'idle' })
    const mine = (running.current = new AbortController())
    setRun((was) => ({ phase: 'running', since: performance.now(), answer: was.answer }))
    try {
      const answer = await ask(asked.current, points, mine.signal)
      if (!mine.signal.aborted) setRun({ phase: 'done', answer })
    } catch (error) {
      if (!mine.signal.aborted) setRun((was) => ({ phase: 'failed', error: error as Error, answer: was.answer }))
    }
  }, [points])

  const cancel = useCallback(() => {
    running.current?.abort()
    setRun((was) => ({ phase: 'cancelled', answer: was.answer }))
  }, [])

  const question = JSON.stringify([pane.queries, pane.range])
  useEffect(() => {
    if (wanted.current || asked.current.queries.some((q) => Object.keys(modelOf(q)).length)) void start()
    wanted.current = false
  }, [question, start])
  useEffect(() => () => running.current?.abort(), [])
  const want = useCallback(() => void (wanted.current = true), [])
  return { run, start, want, cancel }
}
