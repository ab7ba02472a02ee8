namespace System.Runtime.CompilerServices;

/// <summary>What the compiler asks for in order to compile <c>init</c> and records; netstandard2.0 lacks it.</summary>
internal static class IsExternalInit;
