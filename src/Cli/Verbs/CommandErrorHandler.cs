using System.CommandLine;
using Serve.Controller.Applications;
using Serve.Controller.Store;

namespace Serve.Cli.Verbs;

/// <summary>The border at which exceptions become one clear message each and an exit code.</summary>
internal static class CommandErrorHandler
{
    /// <summary>Sets what a verb does.</summary>
    /// <param name="command">The verb.</param>
    /// <param name="console">Where it writes.</param>
    /// <param name="action">Returns the exit code.</param>
    public static void SetGuardedAction(this Command command, CommandConsole console, Func<ParseResult, CancellationToken, Task<int>> action) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            try
            {
                return await action(parsed, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                console.WriteErrors("stopped, as asked.");
                return CliExitCode.Failed;
            }
            catch (Exception e) when (Describe(e) is { } described)
            {
                console.WriteErrors(described.Messages);
                return described.Code;
            }
        });

    /// <summary>What to tell about an exception.</summary>
    /// <param name="error">The exception.</param>
    /// <returns>Null for a defect of ours, whose stack is wanted.</returns>
    internal static (IEnumerable<string> Messages, int Code)? Describe(Exception error) => error switch
    {
        CommandFailedException cli => ([cli.Message], cli.ExitCode),
        DefinitionException definition => (definition.Errors, CliExitCode.Failed),
        NodeUnreachableException { IsRetrySafe: true } nobody => ([nobody.Message], CliExitCode.NoNode),
        ServeException serve => ([serve.Message], CliExitCode.Failed),
        StateStoreException state => ([state.Message], CliExitCode.Failed),
        NodeConflictException conflict => ([conflict.Message], CliExitCode.Failed),
        UnauthorizedAccessException or IOException => ([error.Message], CliExitCode.Failed),
        _ => null,
    };
}
