import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { client, pluginVersions, switchPlugin, type Switched } from '../api/queries.ts'
import type { OtherVersion, Plugin } from '../api/types.ts'
import { formatSeconds } from '../frame/format.ts'
import { Elapsed } from '../ui/Elapsed.tsx'
import { Icon } from '../ui/icons.tsx'
import { Failed } from '../ui/states.tsx'
import { Upgrade } from './Upgrade.tsx'

/** Which versions of a plugin there are, and going from one to another. */
export function Versions({ plugin }: { plugin: Plugin }) {
  const running = plugin.info.version
  const { data, error } = useQuery({ ...pluginVersions(plugin.id, running), placeholderData: keepPreviousData })
  const [asking, setAsking] = useState(false)
  const { busy, from, failed, done, go, tell } = useSwitch(plugin)
  const { former, folder } = data ?? {}
  const changed = folder && folder.version !== running
  return (
    <section className="card versions" aria-labelledby="versions">
      <header>
        <h2 id="versions">Versions</h2>
        {folder && (
          <div className="buttons">
            {!changed && <button type="button" className="button" disabled={busy !== undefined} title="Its files have changed: start them beside what runs, and switch" onClick={() => go('reload', running)}><Icon name="restart" />Reload</button>}
            <button type="button" className="button" disabled={busy !== undefined} onClick={() => setAsking(true)}><Icon name="up" />Upgrade…</button>
          </div>
        )}
      </header>
      <ul className="list">
        <li><b>{running || 'unnamed'}</b><span className="badge good">current</span><span className="quiet">{originOf(plugin, folder)}</span></li>
        {changed && <Other version={folder} what="in its folder now" verb={`Switch to ${folder.version}`} busy={busy} go={() => go('reload', folder.version)} />}
        {former && <Other version={former} what={former.installed ? 'ran before, and is kept' : 'ran before, in a plugin folder'} verb={`${isOlder(former.version, running) ? 'Roll back' : 'Return'} to ${former.version}`} busy={busy} go={() => go('rollback', former.version)} />}
      </ul>
      {error && <Failed error={error} />}
      {busy !== undefined && <p className="switching" role="status"><span className="spinner" /><span>{busy || 'The other version'} is started beside {from}, and tried with every data source.</span><Elapsed /></p>}
      {failed && <Failed error={failed}><p className="quiet">Nothing has changed: it stays with {running}.</p></Failed>}
      {done && done.version === running && <p className="passed" role="status"><Icon name="check" /><span>{done.text}</span></p>}
      {done && done.version !== running && <p className="notice" role="status"><Icon name="warn" />{done.version} does not run any more: the server has gone back to {running}. The history says why.</p>}
      {asking && <Upgrade plugin={plugin} onClose={() => setAsking(false)} onDone={tell} />}
    </section>
  )
}

interface OtherProps {
  version: OtherVersion
  what: string
  verb: string
  busy?: string
  go: () => void
}

/** A version that does not run, and what would make it. */
function Other({ version, what, verb, busy, go }: OtherProps) {
  return (
    <li>
      <b>{version.version || '?'}</b><span className="quiet">{what}</span><span className="spread" />
      {version.version && <button type="button" className="button" disabled={busy !== undefined || version.fault !== undefined} onClick={go}><Icon name="history" />{verb}</button>}
      {version.fault && <p className="fault">It would not run: {version.fault}</p>}
    </li>
  )
}

/** Switches between versions, one switch at a time. */
function useSwitch(plugin: Plugin) {
  const [state, setState] = useState<{ busy?: string; from?: string; failed?: Error; done?: { version: string; text: string } }>({})
  const tell = async ({ version }: Switched, began: number) => {
    const text = `${version} runs, after ${formatSeconds((performance.now() - began) / 1000)}. Calls that were under way end with the process before, streams go on.`
    await client.invalidateQueries({ queryKey: ['plugins'] })
    setState({ done: { version, text } })
  }
  const go = async (how: 'reload' | 'rollback', to = '') => {
    setState({ busy: to, from: plugin.info.version })
    const began = performance.now()
    try {
      await tell(await switchPlugin(plugin.id, how), began)
    } catch (error) {
      setState({ failed: error as Error })
    }
  }
  return { ...state, go, tell }
}

function originOf({ signature, process }: Plugin, folder?: OtherVersion): string {
  if (signature === 'remote') return `runs at ${process.address ?? 'another place'}, and has its versions there`
  if (signature === 'internal') return 'part of the server, and comes with its versions'
  return folder ? (folder.installed ? 'came by an upgrade' : 'in a plugin folder') : ''
}

const isOlder = (a = '', b = '') => a.localeCompare(b, undefined, { numeric: true }) < 0
