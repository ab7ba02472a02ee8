namespace Serve.Controller;

/// <summary>One line for somebody who reads logs; <paramref name="IsLast"/> says that no more is there at the moment.</summary>
internal readonly record struct ReplicaLogLine(string Text, bool IsLast);
