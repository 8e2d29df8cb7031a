"""What one fears that the code does. It is told what to try, and ends with the exception that it got."""

import os
import socket
import subprocess
import sys

match sys.argv[1]:
    case "passwd":
        print(open("/etc/passwd").read())
    case "up":
        print(open("/out/../../secret").read(), open("/data/../secret").read())
    case "link":
        os.symlink("../secret", "/out/innocent.txt")
        print(open("/out/innocent.txt").read())
    case "write":
        open("/data/sales.csv", "a").write("lemons,1000\n")
    case "mount":
        from mountfs import fs

        await fs.mount("/home")
    case "network":
        socket.create_connection(("example.org", 80))
    case "process":
        subprocess.run(["sh", "-c", "id"])
    case "memory":
        everything = []
        while True:
            everything.append(bytearray(16 << 20))
    case "files":
        opened = [open("/data/sales.csv") for _ in range(1000)]
    case "disk":
        with open("/out/large", "wb") as file:
            while True:
                file.write(bytes(1 << 20))
    case "print":
        while True:
            print("all work and no play " * 1000)
    case "loop":
        while True:
            pass
