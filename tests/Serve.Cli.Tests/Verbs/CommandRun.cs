using Serve.Cli.Verbs;

namespace Serve.Cli.Tests.Verbs;

/// <summary>One command line, run in this process with what it wrote.</summary>
internal sealed record CommandRun(int Code, string Out, string Error)
{
    public static async Task<CommandRun> OfAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await ServeCommand.RunAsync(arguments, new CliConsole(output, error, IsInteractive: false), default);
        return new(code, output.ToString(), error.ToString());
    }
}
