"""Takes what is said to a service manager, a line a message, as systemd would."""
import array, os, socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
print('listening', flush=True)
while True:
    words, beside, *_ = manager.recvmsg(4096, 1024)
    for _, kind, given in beside:
        # `systemd-notify` waits until what it hands over is closed.
        if kind == socket.SCM_RIGHTS:
            for fd in array.array('i', given):
                os.close(fd)
    with open(sys.argv[2], 'ab') as said:
        said.write(words.replace(b'\n', b' ') + b'\n')
