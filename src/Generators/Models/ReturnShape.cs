namespace Serve.Generators.Models;

/// <summary>How a method's result comes.</summary>
internal enum ReturnShape
{
    Nothing,
    Value,
    Task,
    TaskOfValue,
    Stream,
    TaskOfStream,
}
