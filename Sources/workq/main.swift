// The executable: everything is in Commands.

import Commands

Tool.main()
