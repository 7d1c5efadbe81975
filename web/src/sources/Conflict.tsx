import type { SourceSettings } from '../api/types.ts'
import { Icon } from '../ui/icons.tsx'
import { draftOf, type Draft } from './draft.ts'

interface ConflictProps {
  mine: Draft
  theirs: SourceSettings
  onKeep: () => void
  onTake: () => void
}

/** Says that somebody else has saved meanwhile, and asks what is to be. */
export function Conflict({ mine, theirs, onKeep, onTake }: ConflictProps) {
  return (
    <div className="notice conflict" role="alert">
      <p><Icon name="warn" />Somebody else has saved this data source while you were writing. {differences(mine, draftOf(theirs))}</p>
      <div className="buttons">
        <button type="button" className="button" onClick={onKeep}>Keep mine</button>
        <button type="button" className="button" onClick={onTake}>Take theirs</button>
        <span className="quiet">Nothing is saved yet.</span>
      </div>
    </div>
  )
}

/** What the two differ in, by name. */
function differences(mine: Draft, theirs: Draft): string {
  const names = changed({ ...mine, version: 0, jsonData: 0, secureJsonData: 0 }, { ...theirs, version: 0, jsonData: 0, secureJsonData: 0 })
  names.push(...changed(mine.jsonData, theirs.jsonData))
  return names.length ? `Theirs and yours differ in ${names.join(', ')}.` : ''
}

const changed = (a: Record<string, unknown>, b: Record<string, unknown>) =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => JSON.stringify(a[name] ?? '') !== JSON.stringify(b[name] ?? ''))
