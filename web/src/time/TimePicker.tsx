import { useState } from 'react'
import { setZone, useZone, type Zone } from '../frame/time.ts'
import { Icon } from '../ui/icons.tsx'
import { Popover } from '../ui/Menu.tsx'
import { describe, faultOf, quick, settled, written, type Range } from './range.ts'

/** Shows a time range, and lets another be chosen or written. */
export function TimePicker({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  useZone()
  return (
    <Popover label={<><Icon name="clock" /><span>{describe(range)}</span></>}>
      {(close) => <Picker range={range} onChange={(chosen) => (close(), onChange(chosen))} />}
    </Popover>
  )
}

function Picker({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  const zone = useZone()
  const [draft, setDraft] = useState({ from: written(range.from), to: written(range.to) })
  const fault = faultOf(draft)
  const choose = (zone: Zone) => {
    // What is written stays the same time.
    const was = settled(draft)
    setZone(zone)
    setDraft({ from: written(was.from), to: written(was.to) })
  }
  return (
    <div className="time-picker">
      <form onSubmit={(event) => (event.preventDefault(), event.stopPropagation(), fault || onChange(settled(draft)))}>
        <label>From <input value={draft.from} autoFocus onChange={(event) => setDraft({ ...draft, from: event.target.value })} /></label>
        <label>To <input value={draft.to} onChange={(event) => setDraft({ ...draft, to: event.target.value })} /></label>
        <p className={fault ? 'fault' : 'quiet'} role="status">{fault || 'As now-6h, now-1d/d, 2026-01-31, 2026-01-31 08:00 or 2026-01-31T08:00:00Z.'}</p>
        <label>Times in <select value={zone} onChange={(event) => choose(event.target.value as Zone)}>
          <option value="local">{here}</option>
          <option value="utc">UTC</option>
        </select></label>
        <button className="button primary" disabled={!!fault}>Apply</button>
      </form>
      <ul>
        {quick.map((q) => <li key={q.title}><button type="button" onClick={() => onChange(q.range)}>{q.title}</button></li>)}
      </ul>
    </div>
  )
}

const here = `Local (${Intl.DateTimeFormat().resolvedOptions().timeZone})`
