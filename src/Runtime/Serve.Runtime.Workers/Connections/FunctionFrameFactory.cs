using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Describes functions so that another process can find them.</summary>
internal static class FunctionFrameFactory
{
    public static Function Of(RemoteFunction function, int number) => new()
    {
        Number = number,
        Assembly = function.Type.Assembly.FullName,
        Path = function.Type.Assembly.Location,
        Type = function.Type.FullName,
        Method = function.Method,
        IsAsync = function.IsAsync,
    };
}
