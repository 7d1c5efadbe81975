import { useLayoutEffect, useRef, useState } from 'react'
import { Failed } from '../ui/states.tsx'
import { Mark } from './Mark.tsx'
import { signIn } from './session.ts'

/** Asks who is there, over the page that is to be seen; or was, if a session has ended. */
export function SignIn({ ended }: { ended: boolean }) {
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const opened = dialog.current!
    opened.showModal()
    opened.querySelector<HTMLInputElement>('[type=password]')!.focus()
    return () => opened.close()
  }, [])
  const submit = async (event: React.FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const { user, password } = Object.fromEntries(new FormData(form))
    setBusy(true)
    try {
      await signIn(String(user), String(password))
    } catch (error) {
      setError(error as Error)
      setBusy(false)
      form.querySelector<HTMLInputElement>('[type=password]')!.select()
    }
  }
  return (
    <dialog ref={dialog} className="sign-in" aria-label="Sign in" onCancel={(event) => event.preventDefault()}
      onKeyDown={(event) => event.key === 'Escape' && event.preventDefault()}>
      <form onSubmit={submit}>
        <Mark />
        <h1>Sign in to Plugboard</h1>
        {ended && <p className="notice">Your session has ended. The page is kept as it was.</p>}
        <label>User <input name="user" defaultValue="admin" autoComplete="username" spellCheck={false} autoCapitalize="none" required /></label>
        <label>Password <input name="password" type="password" autoComplete="current-password" required /></label>
        {error && <Failed error={error} />}
        <button className="button primary" disabled={busy}>{busy ? 'Signing in…' : 'Sign in'}</button>
        {!ended && <p className="quiet">The first start of the server has printed the password of <code>admin</code>.</p>}
      </form>
    </dialog>
  )
}
