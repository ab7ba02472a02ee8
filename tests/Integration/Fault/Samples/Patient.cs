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

    // Starts a process in a session of its own, and returns its id.
    [HttpGet("/spawn")]
    public int Spawn() => System.Diagnostics.Process.Start("setsid", "sleep 1000").Id;

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
