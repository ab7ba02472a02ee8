namespace Serve.Cli.Build;

/// <summary>What an import path names.</summary>
internal enum ImportPathKind
{
    /// <summary>One C# file with <c>#:</c> directives.</summary>
    SourceFile,

    /// <summary>A project file.</summary>
    Project,

    /// <summary>A built assembly and what lies beside it.</summary>
    Assembly,

    /// <summary>A package that is already in the state directory, by its hash.</summary>
    Package,

    /// <summary>A zip file that <c>serve build</c> wrote.</summary>
    Archive,

    /// <summary>An ONNX file, or a folder of a model's versions.</summary>
    Model,
}
