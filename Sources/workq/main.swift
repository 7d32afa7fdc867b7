// The executable: everything is in Commands.

import Commands
import Posix

exit(Tool.main())
