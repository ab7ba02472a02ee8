using Serve.Cli.Verbs;

namespace Serve.Cli.Tests.Verbs;

/// <summary>Runs a command line in this process and captures its output.</summary>
internal sealed record CapturedCommandRun(int Code, string Out, string Error)
{
    public static async Task<CapturedCommandRun> OfAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await ServeRootCommand.RunAsync(arguments, new CommandConsole(output, error, IsInteractive: false), default);
        return new(code, output.ToString(), error.ToString());
    }
}
