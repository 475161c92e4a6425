/* An HTTP server that is not written in Go: answers 200 to whatever it is asked, and ends at once on SIGTERM. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void end(int signal) { (void)signal; _exit(0); }

int main(void) {
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nC";
	char request[4096];
	int one = 1, server = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address;
	memset(&address, 0, sizeof address);
	address.sin_family = AF_INET;
	address.sin_port = htons((unsigned short)atoi(getenv("PORT")));
	signal(SIGTERM, end);
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 64)) return 1;
	for (;;) {
		int client = accept(server, 0, 0);
		if (client < 0) continue;
		if (read(client, request, sizeof request) > 0 && write(client, answer, sizeof answer - 1) < 0) return 1;
		close(client);
	}
}
