import { Details } from '../ui/Details.tsx'
import { Elapsed } from '../ui/Elapsed.tsx'
import { Icon } from '../ui/icons.tsx'
import { Failed } from '../ui/states.tsx'
import type { Test } from './useDraft.ts'

/** What came of saving and testing: the plugin's own words. */
export function TestResult({ test }: { test: Test }) {
  return (
    <div className="test-result" role="status">
      {test.busy && <p className="testing"><span className="spinner" />Waiting for the plugin… <Elapsed /></p>}
      {test.cancelled && <p className="notice">The test was given up. What was saved stays saved.</p>}
      {test.signedOut && <p className="notice"><Icon name="warn" />Nothing was saved: the session had ended. Sign in and save again.</p>}
      {test.error && <Failed error={test.error} />}
      {test.health && <Told health={test.health} />}
    </div>
  )
}

function Told({ health }: { health: NonNullable<Test['health']> }) {
  const details = health.details && Object.keys(health.details).length > 0 && <Details value={health.details} />
  if (health.status === 'ERROR') return <Failed error={new Error(health.message || 'The plugin says that it does not work')}>{details}</Failed>
  const works = health.status === 'OK'
  return (
    <div className={works ? 'passed' : 'notice told'}>
      <Icon name={works ? 'check' : 'warn'} />
      <div><p className="message" tabIndex={health.message.length > 500 ? 0 : undefined}>{health.message || (works ? 'It works' : 'The plugin does not say whether it works')}</p>{details}</div>
    </div>
  )
}
