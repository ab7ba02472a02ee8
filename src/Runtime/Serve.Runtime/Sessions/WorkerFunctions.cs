using System.Collections.Concurrent;
using Serve.Runtime.Methods;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>The functions that a session has numbered, each found when first called. Written by the session's reader.</summary>
internal sealed class WorkerFunctions(PeerAssemblies assemblies)
{
    private readonly ConcurrentDictionary<int, Lazy<SessionFunction>> functions = new();

    public void Define(Function function) => functions[function.Number] = new(() => new(FunctionTable.Resolve(assemblies.FindType(function), function.Method), function.IsAsync));

    /// <exception cref="BadInputException">It is not to be found here.</exception>
    public SessionFunction Find(int number) => functions[number].Value;
}
