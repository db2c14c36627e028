import sys

from proxy.command_line import main

sys.exit(main())
