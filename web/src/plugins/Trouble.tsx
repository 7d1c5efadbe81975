import { formatTime } from '../frame/format.ts'
import type { Plugin } from '../api/types.ts'
import { Icon } from '../ui/icons.tsx'
import { Failed } from '../ui/states.tsx'

/** Why a plugin does not answer, and what becomes of that. */
export function Trouble({ plugin }: { plugin: Plugin }) {
  const { state, lastError } = plugin.process
  const advice = adviceOf(plugin)
  if (!advice) return null
  if (state === 'stopped') return <p className="notice info"><Icon name="stop" />{advice}</p>
  return <Failed error={new Error(lastError || 'It does not answer.')}><p className="quiet">{advice}</p></Failed>
}

/** What a person should know about a plugin that is not as it should be; '' if it is. */
export function adviceOf({ process }: Plugin): string {
  switch (process.state) {
    case 'quarantined': return 'It has crashed too often and is left alone. Release it once the cause is gone: its last words are in the history.'
    case 'backing-off': return `It is started again ${process.nextStart ? `at ${formatTime(Date.parse(process.nextStart)).slice(11, 19)}` : 'soon'}.`
    case 'degraded': return 'It runs, but does not answer. If that goes on, it is ended and started anew.'
    case 'stopped': return 'It was stopped. Whoever asks it is refused until it is started.'
    default: return ''
  }
}
