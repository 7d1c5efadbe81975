import { useState } from 'react'
import { Icon } from '../ui/icons.tsx'
import { Popover } from '../ui/Menu.tsx'
import { describe, faultOf, quick, type Range } from './range.ts'

/** Shows a time range, and lets another be chosen or written. */
export function TimePicker({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  return (
    <Popover label={<><Icon name="clock" /><span>{describe(range)}</span></>}>
      {(close) => <Picker range={range} onChange={(chosen) => (close(), onChange(chosen))} />}
    </Popover>
  )
}

function Picker({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  const [draft, setDraft] = useState(range)
  const fault = faultOf(draft)
  return (
    <div className="time-picker">
      <form onSubmit={(event) => (event.preventDefault(), event.stopPropagation(), fault || onChange(draft))}>
        <label>From <input value={draft.from} autoFocus onChange={(event) => setDraft({ ...draft, from: event.target.value })} /></label>
        <label>To <input value={draft.to} onChange={(event) => setDraft({ ...draft, to: event.target.value })} /></label>
        <p className={fault ? 'fault' : 'quiet'} role="status">{fault || `As now-6h, now/d, 2026-01-31 or 2026-01-31T08:00:00Z. Times are shown in ${zone}.`}</p>
        <button className="button primary" disabled={!!fault}>Apply</button>
      </form>
      <ul>
        {quick.map((q) => <li key={q.title}><button type="button" onClick={() => onChange(q.range)}>{q.title}</button></li>)}
      </ul>
    </div>
  )
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
