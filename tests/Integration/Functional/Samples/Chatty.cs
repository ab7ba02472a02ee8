using System.Runtime.InteropServices;
using Serve;

/// <summary>Writes past its log.</summary>
[Deployment]
public sealed partial class Chatty
{
    [HttpGet("/console")]
    public string Write()
    {
        Console.WriteLine("a line on standard output");
        Console.Error.WriteLine("a line on standard error");
        return "written";
    }

    [HttpGet("/forge")]
    public string Forge(HttpContext context, ILogger<Chatty> log)
    {
        var rest = context.Request.Query["text"].ToString();
        log.LogInformation("called with {Text} at {Path}, {Header}", rest, context.Request.Path, context.Request.Headers["X-Text"].ToString());
        Console.WriteLine("console " + rest);
        throw new InvalidOperationException("thrown " + rest);
    }

    [HttpGet("/native")]
    public string Native() => Puts("a line of native code") < 0 || Flush(0) != 0 ? "failed" : "written";

    [HttpGet("/forget")]
    public async Task<string> Forget()
    {
        Fail();
        await Task.Delay(50);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return "forgotten";
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Fail() => _ = Task.Run(static () => throw new FormatException("a failure that nothing awaits"));

    [DllImport("libc", EntryPoint = "puts")]
    private static extern int Puts([MarshalAs(UnmanagedType.LPUTF8Str)] string text);

    [DllImport("libc", EntryPoint = "fflush")]
    private static extern int Flush(nint file);
}
