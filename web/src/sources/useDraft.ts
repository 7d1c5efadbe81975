import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { ApiError } from '../api/http.ts'
import { checkHealth, health, source } from '../api/queries.ts'
import type { Health, SourceSettings } from '../api/types.ts'
import { draftOf, same, type Draft } from './draft.ts'

/** How saving and testing goes, or went. */
export interface Test {
  busy?: AbortController
  /** How often the draft has been set anew from what the server has. */
  saved: number
  cancelled?: boolean
  /** The session had ended: nothing was saved. */
  signedOut?: boolean
  error?: Error
  health?: Health
}

/**
 * What is written of a data source, beside what the server has of it. That is
 * taken over when it changes, unless something is written: then it is "theirs",
 * and to be decided upon.
 */
export function useDraft(initial: Draft, kept: SourceSettings | undefined, onSave: (draft: Draft) => Promise<SourceSettings>, testFirst = false) {
  const client = useQueryClient()
  const [base, setBase] = useState(initial)
  const [draft, setDraft] = useState(initial)
  const [test, setTest] = useState<Test>({ saved: 0 })
  const dirty = !same(draft, base)
  const changed = kept !== undefined && kept.version !== base.version && !test.busy ? kept : undefined
  const restart = (from: SourceSettings) => {
    setBase(draftOf(from))
    setDraft(draftOf(from))
    setTest((was) => ({ ...was, saved: was.saved + 1 }))
  }
  useEffect(() => {
    if (changed && !dirty) restart(changed)
  }, [changed, dirty])

  const run = async (save: boolean) => {
    const busy = new AbortController()
    setTest((was) => ({ saved: was.saved, busy }))
    const end = (how: Partial<Test>) => setTest((was) => ({ saved: was.saved, ...how }))
    try {
      let uid = String(initial.uid)
      if (save) {
        const saved = await onSave(draft)
        if (!kept) return // the page of what is there now tests it
        uid = saved.uid
        restart(saved)
      }
      const found = await checkHealth(uid, busy.signal)
      client.setQueryData(health(uid).queryKey, found)
      end({ health: found })
    } catch (error) {
      if (busy.signal.aborted) return end({ cancelled: true })
      if (error instanceof ApiError && error.status === 401) return end({ signedOut: true })
      // Somebody else was first: what they have is to be seen.
      if (error instanceof ApiError && error.status === 409 && kept) {
        await client.invalidateQueries({ queryKey: source(kept.uid).queryKey })
        return end({})
      }
      end({ error: error as Error })
    }
  }
  useEffect(() => {
    if (testFirst) void run(false)
  }, [])

  return {
    draft, setDraft, dirty, test, run,
    set: (change: Partial<Draft>) => setDraft((was) => ({ ...was, ...change })),
    theirs: dirty ? changed : undefined,
    takeTheirs: () => restart(kept!),
    keepMine: () => {
      setBase(draftOf(kept!))
      setDraft({ ...draft, version: kept!.version })
    },
  }
}
