// Deployment of the fault tests: fails in the requested way.
using Serve;

[Deployment(MaxOngoingRequests = 200)]
public sealed class Patient
{
    private readonly string version;

    public Patient(string version = "one", string? trouble = null, string? tally = null)
    {
        if (tally is not null)
            File.WriteAllText(Path.Combine(tally, $"{Guid.NewGuid():N}"), "");
        if (trouble is not null)
            throw new InvalidOperationException(trouble);
        this.version = version;
    }

    public string Call() => version;

    [HttpGet("/pid")]
    public int Pid() => Environment.ProcessId;

    // Writes its process id to a new file in the folder, then waits until the folder contains a file named "go".
    [HttpGet("/held")]
    public async Task<int> Held([FromQuery] string folder, CancellationToken stop)
    {
        File.WriteAllText(Path.Combine(folder, $"held-{Guid.NewGuid():N}"), $"{Environment.ProcessId}");
        while (!File.Exists(Path.Combine(folder, "go")))
            await Task.Delay(5, stop);
        return Environment.ProcessId;
    }

    // Exits after it has sent more than all buffers on the path can hold.
    [HttpGet("/half")]
    public async Task Half(Microsoft.AspNetCore.Http.HttpContext context)
    {
        var body = context.Response.Body;
        for (var i = 0; i < 64; i++)
        {
            await body.WriteAsync(new byte[1 << 16]);
            await body.FlushAsync();
        }

        System.Diagnostics.Process.GetCurrentProcess().Kill();
    }

    // Sends each message of a WebSocket back.
    [HttpGet("/echo")]
    public async Task Echo(Microsoft.AspNetCore.Http.HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[100];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not System.Net.WebSockets.WebSocketMessageType.Close } message)
            await socket.SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, context.RequestAborted);
    }

    // A stream of items until the client disconnects.
    [HttpGet("/ticks")]
    public async IAsyncEnumerable<int> Ticks([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        for (var tick = 0; ; tick++)
        {
            yield return tick;
            await Task.Delay(50, stop);
        }
    }

    // Starts a process in a session of its own, without the output of this one, and returns its id.
    [HttpGet("/spawn")]
    public int Spawn() => System.Diagnostics.Process.Start("sh", ["-c", "exec setsid sleep 1000 > /dev/null 2>&1"]).Id;

    [HttpGet("/failfast")]
    public string FailFast()
    {
        Environment.FailFast("the patient's heart stopped");
        return "";
    }

    [HttpGet("/overflow")]
    public int Overflow() => Deeper(1);

    private static int Deeper(int depth) => depth + Deeper(depth + 1) + Deeper(depth + 2);
}
