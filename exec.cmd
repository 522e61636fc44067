@rem The scripts in package.json say `exec node ...`: without it sh stays between npm and Node, and swallows signals.
@rem Windows has no exec. This is one, which cmd finds because scripts run in this folder.
@%*
