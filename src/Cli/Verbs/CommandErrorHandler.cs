using System.CommandLine;
using Serve.Controller.Applications;
using Serve.Controller.Store;

namespace Serve.Cli.Verbs;

/// <summary>Maps exceptions of a command to error messages and an exit code.</summary>
internal static class CommandErrorHandler
{
    /// <summary>Sets the action of a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="console">Console of the command.</param>
    /// <param name="action">The action; returns the exit code.</param>
    public static void SetGuardedAction(this Command command, CommandConsole console, Func<ParseResult, CancellationToken, Task<int>> action) =>
        command.SetAction(async (parsed, cancellationToken) =>
        {
            try
            {
                return await action(parsed, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                console.WriteErrors("canceled.");
                return CliExitCode.Failed;
            }
            catch (Exception e) when (Describe(e) is { } described)
            {
                console.WriteErrors(described.Messages);
                return described.Code;
            }
        });

    /// <summary>Returns the error messages and exit code of an exception.</summary>
    /// <param name="error">The exception.</param>
    /// <returns>Null for an unexpected exception, which is reported with its stack.</returns>
    internal static (IEnumerable<string> Messages, int Code)? Describe(Exception error) => error switch
    {
        CommandFailedException cli => ([cli.Message], cli.ExitCode),
        DefinitionException definition => (definition.Errors, CliExitCode.Failed),
        NodeUnreachableException { IsRetrySafe: true } unreachable => ([unreachable.Message], CliExitCode.NoNode),
        ServeException serve => ([serve.Message], CliExitCode.Failed),
        StateStoreException state => ([state.Message], CliExitCode.Failed),
        NodeConflictException conflict => ([conflict.Message], CliExitCode.Failed),
        UnauthorizedAccessException or IOException => ([error.Message], CliExitCode.Failed),
        _ => null,
    };
}
