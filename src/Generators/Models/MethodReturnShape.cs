namespace Serve.Generators.Models;

/// <summary>How a method's result comes.</summary>
internal enum MethodReturnShape
{
    Nothing,
    Value,
    Task,
    TaskOfValue,
    Stream,
    TaskOfStream,
}
